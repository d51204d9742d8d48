"""What the section on trust says, in English, Traditional and Simplified Chinese."""

from __future__ import annotations

__all__ = ["WORDS"]

_TEXTS: dict[str, tuple[str, str, str]] = {
    "nav_trust": ("Trust", "可信度", "可信度"),
    "trust": ("How far can you trust this?", "這些預測有多可信？", "这些预测有多可信？"),
    "trust_none": (
        "No test on the past could be made: {reason}.",
        "無法以過去資料測試：{reason}。",
        "无法以过去数据测试：{reason}。",
    ),
    "trust_lead": (
        (
            "{family} was made to stand at {origins} and to forecast {horizon} from what was known"
            " then. This is what its forecasts were worth."
        ),
        "讓 {family} 站在 {origins}，只憑當時已知的資料預測其後{horizon}。以下是這些預測的實際表現。",
        "让 {family} 站在 {origins}，只凭当时已知的数据预测其后{horizon}。以下是这些预测的实际表现。",
    ),
    "trust_scope": (
        (
            "A forecast that does not beat a simple rule is not worth its trouble, so the simple"
            " rules stand beside it."
        ),
        "若預測不能勝過簡單規則，便不值得費心，因此並列簡單規則以供比較。",
        "若预测不能胜过简单规则，便不值得费心，因此并列简单规则以供比较。",
    ),
    "grade_heading": ("The grade", "評等", "评级"),
    "grade_better": (
        "{family}: better than the best forecast that needs no model, beyond chance.",
        "{family}：優於最佳的無模型預測，且差異並非偶然。",
        "{family}：优于最佳的无模型预测，且差异并非偶然。",
    ),
    "grade_no_better": (
        "{family}: no better than the best forecast that needs no model. Use it with care.",
        "{family}：不優於最佳的無模型預測，請謹慎使用。",
        "{family}：不优于最佳的无模型预测，请谨慎使用。",
    ),
    "grade_worse": (
        (
            "{family}: worse than a forecast that needs no model, in {where}. Look at the table"
            " before you plan with it."
        ),
        "{family}：在{where}上不如無模型的預測，規劃前請先參閱下表。",
        "{family}：在{where}上不如无模型的预测，规划前请先参阅下表。",
    ),
    "worse_in_purchases": ("the number of purchases", "購買次數", "购买次数"),
    "worse_in_log_loss": ("the chance of a purchase", "購買機率", "购买概率"),
    "trust_held": (
        "The {level} intervals held the purchases of {share} of the customers.",
        "{level} 區間涵蓋了 {share} 顧客的購買次數。",
        "{level} 区间涵盖了 {share} 客户的购买次数。",
    ),
    "trust_held_spend": (
        (
            "The {level} intervals held the purchases of {share} of the customers, and the spend of"
            " {spend}."
        ),
        "{level} 區間涵蓋了 {share} 顧客的購買次數，以及 {spend} 顧客的消費金額。",
        "{level} 区间涵盖了 {share} 客户的购买次数，以及 {spend} 客户的消费金额。",
    ),
    "chances_heading": (
        "Chances given, and come true",
        "給出的機率與實際結果",
        "给出的概率与实际结果",
    ),
    "chances_lead": (
        (
            "Customers in tenths by their chance to buy: {given} were expected to buy, {came} did;"
            " a tenth is off by {off} points on average. On the dashed line chances come true."
        ),
        (
            "依購買機率將顧客分為十等分：預期 {given} 會購買，實際 {came}；各等分平均相差 {off}"
            " 個百分點。"
            "虛線上表示機率完全應驗。"
        ),
        (
            "依购买概率将客户分为十等分：预期 {given} 会购买，实际 {came}；各等分平均相差 {off}"
            " 个百分点。"
            "虚线上表示概率完全应验。"
        ),
    ),
    "chances_x": ("mean chance given", "給出的平均機率", "给出的平均概率"),
    "chances_y": ("share who bought", "實際購買比例", "实际购买比例"),
    "running_heading": (
        "Purchases after {origin}, running total",
        "{origin} 之後的購買（累計）",
        "{origin} 之后的购买（累计）",
    ),
    "running_lead": (
        "{expected} purchases were expected by the end and {actual} came: the forecast was {gap}.",
        "期末預期 {expected} 次購買，實際 {actual} 次：預測{gap}。",
        "期末预期 {expected} 次购买，实际 {actual} 次：预测{gap}。",
    ),
    "running_x": ("{period} after that day", "該日之後（{period}）", "该日之后（{period}）"),
    "unit_hour": ("hours", "小時", "小时"),
    "unit_day": ("days", "天", "天"),
    "unit_week": ("weeks", "週", "周"),
    "unit_month": ("months", "月", "月"),
    "unit_quarter": ("quarters", "季", "季度"),
    "unit_year": ("years", "年份", "年"),
    "test_heading": ("Beside forecasts that need no model", "與無模型預測比較", "与无模型预测比较"),
    "test_lead": (
        (
            "Errors are means a customer, and smaller is better. Ranking is the chance that a"
            " customer who bought was put above one who did not: 50% is a coin. The best fifth is"
            " the fifth of customers that was ranked highest."
        ),
        (
            "誤差為每位顧客的平均，愈小愈好。排序能力為購買者排在未購買者之前的機率：50% 等同擲硬幣。"
            "最佳五分之一為排名最高的五分之一顧客。"
        ),
        (
            "误差为每位客户的平均，越小越好。排序能力为购买者排在未购买者之前的概率：50% 等同掷硬币。"
            "最佳五分之一为排名最高的五分之一客户。"
        ),
    ),
    "forecast_name": ("Forecast", "預測方法", "预测方法"),
    "test_mae": ("Error in purchases", "購買次數誤差", "购买次数误差"),
    "test_revenue_mae": ("Error in revenue", "營收誤差", "营收误差"),
    "test_log_loss": (
        "Error of the chance (log-loss)",
        "機率誤差（對數損失）",
        "概率误差（对数损失）",
    ),
    "test_auc": ("Ranking (AUC)", "排序能力（AUC）", "排序能力（AUC）"),
    "test_top_share": (
        "Revenue of the best fifth",
        "最佳五分之一的營收占比",
        "最佳五分之一的营收占比",
    ),
    "forecast_recalibrated": (
        "{family}, recalibrated",
        "{family}（重新校準）",
        "{family}（重新校准）",
    ),
    "forecast_stack": ("Stack of families", "模型組合", "模型组合"),
    "forecast_base_rate": ("Everybody alike", "所有人相同", "所有人一样"),
    "forecast_historical_average": (
        "Everyone's own average so far",
        "各自的歷史平均",
        "各自的历史平均",
    ),
    "forecast_last_period_repeats": ("The last period repeats", "上一期重演", "上一期重演"),
    "forecast_days_since_last_purchase": (
        "Days since the last purchase",
        "距上次購買的天數",
        "距上次购买的天数",
    ),
    "forecast_formula": (
        "Formula: order value × frequency",
        "公式：客單價 × 頻率",
        "公式：客单价 × 频率",
    ),
    "drift_heading": ("Since the last day of the data", "資料最後一日之後", "数据最后一日之后"),
    "drift_none": (
        "What came is what was foretold, up to chance (at {level}, over all weeks together).",
        "實際情況與預測相符，差異在偶然範圍內（所有各週合計，水準 {level}）。",
        "实际情况与预测相符，差异在偶然范围内（所有各周合计，水平 {level}）。",
    ),
    "drift_purchases_fewer": (
        (
            "Fewer purchases than foretold, beyond chance: seen on {seen}, from about {since} on."
            " Fit the model again."
        ),
        "購買次數少於預測，且並非偶然：於 {seen} 發現，約自 {since} 起。請重新擬合模型。",
        "购买次数少于预测，且并非偶然：于 {seen} 发现，约自 {since} 起。请重新拟合模型。",
    ),
    "drift_purchases_more": (
        (
            "More purchases than foretold, beyond chance: seen on {seen}, from about {since} on."
            " Fit the model again."
        ),
        "購買次數多於預測，且並非偶然：於 {seen} 發現，約自 {since} 起。請重新擬合模型。",
        "购买次数多于预测，且并非偶然：于 {seen} 发现，约自 {since} 起。请重新拟合模型。",
    ),
    "drift_revenue_less": (
        (
            "Less revenue than foretold, beyond chance: seen on {seen}, from about {since} on. Fit"
            " the model again."
        ),
        "營收低於預測，且並非偶然：於 {seen} 發現，約自 {since} 起。請重新擬合模型。",
        "营收低于预测，且并非偶然：于 {seen} 发现，约自 {since} 起。请重新拟合模型。",
    ),
    "drift_revenue_more": (
        (
            "More revenue than foretold, beyond chance: seen on {seen}, from about {since} on. Fit"
            " the model again."
        ),
        "營收高於預測，且並非偶然：於 {seen} 發現，約自 {since} 起。請重新擬合模型。",
        "营收高于预测，且并非偶然：于 {seen} 发现，约自 {since} 起。请重新拟合模型。",
    ),
    "drift_purchases": ("Purchases week by week", "每週購買次數", "每周购买次数"),
    "drift_revenue": ("Revenue week by week", "每週營收", "每周营收"),
    "drift_lead": (
        (
            "Since {until} {actual} came in all; {expected} was expected, with a {level} interval"
            " of {low} to {high}."
        ),
        "自 {until} 起合計 {actual}；預期 {expected}，{level} 區間為 {low} 至 {high}。",
        "自 {until} 起合计 {actual}；预期 {expected}，{level} 区间为 {low} 至 {high}。",
    ),
    "drift_x": ("week that ends in", "週（結束於）", "周（结束于）"),
    "drift_signal": ("signal", "警訊", "警报"),
}

WORDS: dict[str, dict[str, str]] = {
    lang: {key: texts[i] for key, texts in _TEXTS.items()}
    for i, lang in enumerate(("en", "zh-Hant", "zh-Hans"))
}
