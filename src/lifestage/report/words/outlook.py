"""What the sections on the outlook say, in English, Traditional and Simplified Chinese."""

from __future__ import annotations

__all__ = ["WORDS"]

_TEXTS: dict[str, tuple[str, str, str]] = {
    "nav_ahead": ("Outlook", "展望", "展望"),
    "ahead": ("Where the base is going", "顧客群的走向", "客户群的走向"),
    "ahead_lead": (
        (
            "Of today's customers, {now} stand in “{stage}”; in {horizon} there will be about"
            " {then} ({low} to {high})."
        ),
        "現有顧客中，{now} 位處於「{stage}」；{horizon}後約為 {then} 位（{low} 至 {high}）。",
        "现有客户中，{now} 位处于“{stage}”；{horizon}后约为 {then} 位（{low} 至 {high}）。",
    ),
    "ahead_scope": (
        (
            "Customers who are still to come are not counted: without new ones every base falls"
            " asleep in time."
        ),
        "尚未到來的新顧客不計在內：沒有新顧客，任何顧客群終將沉睡。",
        "尚未到来的新客户不计在内：没有新客户，任何客户群终将沉睡。",
    ),
    "ahead_sample": (
        "The outlook was simulated with {sample} customers drawn by lot, who stand for all.",
        "此展望以隨機抽取的 {sample} 位顧客模擬，代表全體。",
        "此展望以随机抽取的 {sample} 位客户模拟，代表全体。",
    ),
    "now": ("Now", "現在", "现在"),
    "flow_heading": ("Stages over time", "各階段隨時間的變化", "各阶段随时间的变化"),
    "flow_lead": (
        (
            "Each customer's future was simulated {scenarios} times, and the rules of today were"
            " applied again."
        ),
        "每位顧客的未來模擬 {scenarios} 次，並重新套用今日的規則。",
        "每位客户的未来模拟 {scenarios} 次，并重新套用今日的规则。",
    ),
    "flow_x": ("by the end of", "截至", "截至"),
    "fan_purchases": (
        "Purchases to come, running total",
        "未來購買次數（累計）",
        "未来购买次数（累计）",
    ),
    "fan_revenue": ("Revenue to come, running total", "未來營收（累計）", "未来营收（累计）"),
    "fan_purchases_y": ("purchases", "購買次數", "购买次数"),
    "fan_revenue_y": ("money", "金額", "金额"),
    "fan_lead": (
        "{middle} by the end, with a {level} interval of {low} to {high}.",
        "期末約 {middle}，{level} 區間為 {low} 至 {high}。",
        "期末约 {middle}，{level} 区间为 {low} 至 {high}。",
    ),
    "counts_heading": ("Customers by stage", "各階段顧客數", "各阶段客户数"),
    "moves_heading": ("Who moves where", "誰往哪裡移動", "谁往哪里移动"),
    "moves_lead": (
        "A row holds today's customers of a stage and where they will stand at the end.",
        "每一列為今日某階段的顧客，以及期末他們所在的階段。",
        "每一行为今日某阶段的客户，以及期末他们所在的阶段。",
    ),
    "moves_from": ("From \\ to", "從 \\ 到", "从 \\ 到"),
    "bought_again": ("Bought again", "已回購", "已复购"),
    "range": ("Interval", "區間", "区间"),
    "realised_heading": ("Did the stages come true?", "階段是否應驗？", "阶段是否应验？"),
    "realised_lead": (
        (
            "Who bought within {window} after {until}, on data that the fit never saw: the share"
            " falls from stage to stage, as it should. Intervals at {level}."
        ),
        (
            "{until} 之後 {window}內購買者的比例（擬合未見過的資料）：逐階段下降，符合預期。"
            "區間水準 {level}。"
        ),
        (
            "{until} 之后 {window}内购买者的比例（拟合未见过的数据）：逐阶段下降，符合预期。"
            "区间水平 {level}。"
        ),
    ),
    "realised_mixed": (
        (
            "Who bought within {window} after {until}, on data that the fit never saw. The share"
            " does NOT fall from stage to stage: do not rank these customers by the name of their"
            " stage alone. Intervals at {level}."
        ),
        (
            "{until} 之後 {window}內購買者的比例（擬合未見過的資料）。"
            "比例並未逐階段下降：請勿僅憑階段名稱排序顧客。"
            "區間水準 {level}。"
        ),
        (
            "{until} 之后 {window}内购买者的比例（拟合未见过的数据）。"
            "比例并未逐阶段下降：请勿仅凭阶段名称排序客户。"
            "区间水平 {level}。"
        ),
    ),
    "realised_family": (
        (
            "BG/NBD takes everybody who bought once for alive, so they never fall asleep; MBG/NBD"
            " does not."
        ),
        "BG/NBD 假定只買過一次的人都仍存活，因此他們不會入睡；MBG/NBD 則不然。",
        "BG/NBD 假定只买过一次的人都仍存活，因此他们不会入睡；MBG/NBD 则不然。",
    ),
    "nav_schedule": ("Touch schedule", "接觸時程", "触达时程"),
    "schedule": ("When buyers are back", "買家何時回來", "买家何时回来"),
    "schedule_lead": (
        "After a purchase, this share has bought again: {shares}.",
        "購買之後再次購買的比例：{shares}。",
        "购买之后再次购买的比例：{shares}。",
    ),
    "schedule_share": ("{share} by day {day}", "第 {day} 天 {share}", "第 {day} 天 {share}"),
    "schedule_heading": ("Bought again by day", "各天之前已回購的比例", "各天之前已复购的比例"),
    "schedule_caution": (
        (
            "Stages are those of today: who did not come back is asleep, so the rows describe and"
            " do not forecast."
        ),
        "階段為今日的階段：沒有回來的人才在沉睡，因此各列是描述而非預測。",
        "阶段为今日的阶段：没有回来的人才在沉睡，因此各行是描述而非预测。",
    ),
    "rhythm_random": (
        (
            "Purchases come about as irregularly as at random (k = {k}, {low} to {high}; 1 is"
            " random): a fixed rhythm of messages has no better moment than the first days."
        ),
        (
            "購買間隔大致是隨機的（k = {k}，{low} 至 {high}；1"
            " 為隨機）：固定節奏的訊息沒有比最初幾天更好的時機。"
        ),
        (
            "购买间隔大致是随机的（k = {k}，{low} 至 {high}；1"
            " 为随机）：固定节奏的消息没有比最初几天更好的时机。"
        ),
    ),
    "rhythm_regular": (
        (
            "Purchases are clearly more regular than at random (k = {k}, {low} to {high}; 1 is"
            " random): a reminder shortly before a customer's usual gap is over fits this base."
        ),
        "購買明顯比隨機更規律（k = {k}，{low} 至 {high}；1 為隨機）：在顧客慣常間隔結束前提醒最適合。",
        "购买明显比随机更规律（k = {k}，{low} 至 {high}；1 为随机）：在客户惯常间隔结束前提醒最适合。",
    ),
    "returns_heading": ("Share that has bought again", "已再次購買的比例", "已再次购买的比例"),
    "returns_lead": (
        (
            "Over all purchases, with those whose wait is not over counted as far as they go; the"
            " band is {level}."
        ),
        "涵蓋所有購買，尚未結束的等待計至目前為止；色帶為 {level}。",
        "涵盖所有购买，尚未结束的等待计至目前为止；色带为 {level}。",
    ),
    "returns_x": ("days after a purchase", "購買後天數", "购买后天数"),
    "returns_y": ("bought again", "已回購", "已复购"),
    "observed": ("Observed", "實際", "实际"),
    "purchases": ("Purchases", "購買次數", "购买次数"),
    "by_day": ("Day {day}", "第 {day} 天", "第 {day} 天"),
    "all": ("All", "全部", "全部"),
    "nav_groups": ("Groups", "分群", "分群"),
    "groups": ("What each group is worth at most", "各群最多值多少", "各群最多值多少"),
    "groups_lead": (
        "A customer is worth the margin on what was bought so far and the LTV still to come.",
        "一位顧客的價值等於迄今購買的毛利加上未來的 LTV。",
        "一位客户的价值等于迄今购买的毛利加上未来的 LTV。",
    ),
    "groups_channel": (
        "Worth of a customer by channel",
        "各管道每位顧客的價值",
        "各渠道每位客户的价值",
    ),
    "groups_cohort": (
        "Worth of a customer by month of the first purchase",
        "依首購月份每位顧客的價值",
        "按首购月份每位客户的价值",
    ),
    "groups_about": (
        (
            "The dot is the mean a customer, the bar its {level} interval: what is still to come is"
            " uncertain."
        ),
        "圓點為每位顧客的平均，橫條為其 {level} 區間：未來部分並不確定。",
        "圆点为每位客户的平均，横条为其 {level} 区间：未来部分并不确定。",
    ),
    "groups_x": ("worth of a customer", "每位顧客的價值", "每位客户的价值"),
    "groups_table": (
        (
            "Up to “most to pay” an acquisition pays with a chance of {sure}. Older groups have had"
            " more time."
        ),
        "獲客成本不超過「可付上限」時，有 {sure} 的機率划算。較早的群有較長的時間。",
        "获客成本不超过“可付上限”时，有 {sure} 的概率划算。较早的群有较长的时间。",
    ),
    "cohort": ("First bought", "首購月份", "首购月份"),
    "past_margin": ("Margin so far", "迄今毛利", "迄今毛利"),
    "worth": ("Worth", "價值", "价值"),
    "max_cac": ("Most to pay", "可付上限", "可付上限"),
    "risk_revenue": (
        (
            "As they stand, {revenue} of revenue within {horizon} depends on them ({level} interval"
            " {low} to {high})."
        ),
        "依現況，{horizon}內有 {revenue} 的營收仰賴他們（{level} 區間 {low} 至 {high}）。",
        "依现况，{horizon}内有 {revenue} 的营收仰赖他们（{level} 区间 {low} 至 {high}）。",
    ),
    "contact_list": (
        "Download the list of {count} customers (CSV)",
        "下載 {count} 位顧客的名單（CSV）",
        "下载 {count} 位客户的名单（CSV）",
    ),
}

WORDS: dict[str, dict[str, str]] = {
    lang: {key: texts[i] for key, texts in _TEXTS.items()}
    for i, lang in enumerate(("en", "zh-Hant", "zh-Hans"))
}
"""By language and key."""
