"""Notes and reasons by code: in Chinese the sentences of data and fit, in all languages the names of reasons."""

from __future__ import annotations

__all__ = ["NOTES", "REASONS"]

NOTES: dict[str, dict[str, str]] = {
    "zh-Hant": {
        "at_bound": "{family} 的參數 {parameter} 抵達邊界：資料無法決定它。",
        "flat": "資料無法分別決定 {family} 的 {parameters}：它們沒有標準誤。",
        "unreliable_draws": (
            '{family} 的快速後驗並不可靠（Pareto k {pareto_k:.2f} > 0.7）：請改用 method="nuts"。'
        ),
        "chains_unmixed": (
            "{family} 的鏈可能未走遍整個後驗（R-hat {r_hat:.3f}，{divergences} 次發散）："
            "請提高 tune 與 draws。"
        ),
        "no_repeaters": "沒有人購買兩次：購買率與流失皆無法辨識，預測接近零。",
        "few_repeaters": "只有 {repeaters} 位回購顧客：參數的估計並不可靠。",
        "dropout_not_identified": (
            "流失無法辨識（每次購買後平均流失機率為 {dropout:.2%}）："
            "P(alive) 必然對每個人都接近 1，因此請以購買機率而非 P(alive) 判斷顧客。"
        ),
        "alive_by_assumption": "BG/NBD 假設只買過一次的顧客 P(alive) = 1；MBG/NBD 則不然。",
        "selected": (
            "由過去的預測選出：{family} 在 {origins} 個起點上預測最準，第二名是 {second}，"
            "每位顧客的對數分數相差 "
            "{gap:.4f} ± {se:.4f}。"
        ),
        "stacked": "由過去的預測決定各模型的權重：{weights}。",
        "few_spenders": "只有 {repeaters} 位有正消費的回購顧客：消費模型倚賴其先驗。",
        "spend_mean_infinite": (
            "消費模型沒有有限的平均數（q = {q:.3g} ≤ 1）：改用觀察到的平均消費代替其期望值。"
        ),
        "short_backtest": (
            "紀錄只夠 {origins} 個起點與 {days} 天的預測期；較長的紀錄會以 3 個起點、各半年測試。"
        ),
        "spend_at_limit": "消費金額幾乎都相同：消費模型已達極限，其平均數正確，但參數無法決定。",
        "spend_frequency_correlated": (
            "消費金額與購買次數相關（Spearman {all[spearman]:+.2f}；"
            "去除消費最高的 1% 後為 {without_top_1_percent[spearman]:+.2f}），但消費模型假設兩者無關："
            "常客的 LTV 有偏差。"
        ),
        "malformed_lines": "{lines} 列的欄數與檔案第一列不同，因此未採用：{samples}",
        "implausible_dates": (
            "{lines} 列的日期不可能是訂單日期，例如 {samples}，因此未採用；其餘的列都在 {earliest} "
            "之後。若這些日期正確，請設定 earliest=。"
        ),
        "early_dates": (
            "紀錄的第一天是 {first}，但幾乎所有的列都在 {usual} 或更晚；若較早的日期是輸入錯誤，"
            "請設定 earliest='{usual}'。"
        ),
        "future_dates": (
            "紀錄的最後一天是 {last}，但幾乎所有的列都在 {usual} 或更早；若較晚的日期是輸入錯誤，"
            "請設定 until='{usual}'。"
        ),
        "short_history": (
            "截至觀察截止日，紀錄只涵蓋 {days} 天，不到階段視窗 {stage_window:g} "
            "天的兩倍；由此得知的流失與回購相當薄弱。"
        ),
        "truncated_start": (
            "約 {share:.0%} 的顧客似乎是舊客，其較早的訂單不在紀錄中：最初 "
            "{days:.0f} 天內就出現了 {early:,.0f} 位，遠多於之後的常態。"
        ),
        "high_missing_id": "{lines} 列（{share:.0%}）沒有顧客代號，因此未採用。",
        "cancellations": (
            "{lines} 列（{share:.1%}）是退款或取消；它們只在當天抵銷，不會扣除較早日期的金額。"
        ),
        "duplicates_kept": (
            "{lines} 列（{share:.1%}）與另一列每欄都相同，予以保留；drop_duplicates 可將其排除。"
        ),
        "wholesaler": "單一顧客就占了營收的 {share:.0%}。",
        "giant_order": "最大的訂單金額為 {largest:,.2f}，遠高於購買日金額的中位數 {median:,.2f}。",
        "small_base": "只有 {customers} 位顧客；低於 500 位時估計較為粗略。",
        "no_repeats": "沒有顧客在兩天購買，因此無法衡量階段視窗；假設為 {stage_window:g} 天。",
    },
    "zh-Hans": {
        "at_bound": "{family} 的参数 {parameter} 抵达边界：数据无法决定它。",
        "flat": "数据无法分别决定 {family} 的 {parameters}：它们没有标准误。",
        "unreliable_draws": (
            '{family} 的快速后验并不可靠（Pareto k {pareto_k:.2f} > 0.7）：请改用 method="nuts"。'
        ),
        "chains_unmixed": (
            "{family} 的链可能未走遍整个后验（R-hat {r_hat:.3f}，{divergences} 次发散）："
            "请提高 tune 与 draws。"
        ),
        "no_repeaters": "没有人购买两次：购买率与流失皆无法识别，预测接近零。",
        "few_repeaters": "只有 {repeaters} 位回购顾客：参数的估计并不可靠。",
        "dropout_not_identified": (
            "流失无法识别（每次购买后平均流失概率为 {dropout:.2%}）："
            "P(alive) 必然对每个人都接近 1，因此请以购买概率而非 P(alive) 判断顾客。"
        ),
        "alive_by_assumption": "BG/NBD 假设只买过一次的顾客 P(alive) = 1；MBG/NBD 则不然。",
        "selected": (
            "由过去的预测选出：{family} 在 {origins} 个起点上预测最准，第二名是 {second}，"
            "每位顾客的对数分数相差 "
            "{gap:.4f} ± {se:.4f}。"
        ),
        "stacked": "由过去的预测决定各模型的权重：{weights}。",
        "few_spenders": "只有 {repeaters} 位有正消费的回购顾客：消费模型倚赖其先验。",
        "spend_mean_infinite": (
            "消费模型没有有限的平均数（q = {q:.3g} ≤ 1）：改用观察到的平均消费代替其期望值。"
        ),
        "short_backtest": (
            "记录只够 {origins} 个起点与 {days} 天的预测期；较长的记录会以 3 个起点、各半年测试。"
        ),
        "spend_at_limit": "消费金额几乎都相同：消费模型已达极限，其平均数正确，但参数无法决定。",
        "spend_frequency_correlated": (
            "消费金额与购买次数相关（Spearman {all[spearman]:+.2f}；"
            "去除消费最高的 1% 后为 {without_top_1_percent[spearman]:+.2f}），但消费模型假设两者无关："
            "常客的 LTV 有偏差。"
        ),
        "malformed_lines": "{lines} 行的列数与文件第一行不同，因此未采用：{samples}",
        "implausible_dates": (
            "{lines} 行的日期不可能是订单日期，例如 {samples}，因此未采用；其余的行都在 {earliest} "
            "之后。若这些日期正确，请设置 earliest=。"
        ),
        "early_dates": (
            "记录的第一天是 {first}，但几乎所有的行都在 {usual} 或更晚；若较早的日期是输入错误，"
            "请设置 earliest='{usual}'。"
        ),
        "future_dates": (
            "记录的最后一天是 {last}，但几乎所有的行都在 {usual} 或更早；若较晚的日期是输入错误，"
            "请设置 until='{usual}'。"
        ),
        "short_history": (
            "截至观察截止日，记录只涵盖 {days} 天，不到阶段窗口 {stage_window:g} "
            "天的两倍；由此得知的流失与回购相当薄弱。"
        ),
        "truncated_start": (
            "约 {share:.0%} 的顾客似乎是旧客，其较早的订单不在记录中：最初 "
            "{days:.0f} 天内就出现了 {early:,.0f} 位，远多于之后的常态。"
        ),
        "high_missing_id": "{lines} 行（{share:.0%}）没有顾客编号，因此未采用。",
        "cancellations": (
            "{lines} 行（{share:.1%}）是退款或取消；它们只在当天抵消，不会扣除较早日期的金额。"
        ),
        "duplicates_kept": (
            "{lines} 行（{share:.1%}）与另一行每列都相同，予以保留；drop_duplicates 可将其排除。"
        ),
        "wholesaler": "单一顾客就占了营收的 {share:.0%}。",
        "giant_order": "最大的订单金额为 {largest:,.2f}，远高于购买日金额的中位数 {median:,.2f}。",
        "small_base": "只有 {customers} 位顾客；低于 500 位时估计较为粗略。",
        "no_repeats": "没有顾客在两天购买，因此无法衡量阶段窗口；假设为 {stage_window:g} 天。",
    },
}
"""Templates over the values of a note; English readers get the sentence that the note carries."""

REASONS: dict[str, dict[str, str]] = {
    "en": {
        "malformed_line": "other columns than the first line of the file",
        "missing_id": "no customer id",
        "missing_time": "no time",
        "unparseable_time": "time cannot be read",
        "implausible_time": "day that no order can be of",
        "missing_amount": "no amount",
        "non_finite_amount": "amount is no finite number",
        "missing_quantity": "no quantity",
        "non_finite_quantity": "quantity is no finite number",
        "after_until": "after the last day of observation (kept for the test of the forecast)",
        "exact_duplicate": "same as another row in every column",
        "day_net_not_positive": "day nets to zero or less",
        "zero_value_day": "day of free rows only",
        "same_day_lines": "several rows of one customer and day",
        "exact_duplicates": "rows equal to another, kept",
        "negative_lines": "refunds and cancellations, netted on their day",
        "zero_value_days": "purchase days worth nothing",
        "days_netted_to_nothing": "days netted to nothing",
        "refund_days_before_purchase": "refund days before any purchase",
    },
    "zh-Hant": {
        "malformed_line": "欄數與檔案第一列不同",
        "missing_id": "沒有顧客代號",
        "missing_time": "沒有時間",
        "unparseable_time": "時間無法解讀",
        "implausible_time": "日期不可能是訂單日期",
        "missing_amount": "沒有金額",
        "non_finite_amount": "金額不是有限的數字",
        "missing_quantity": "沒有數量",
        "non_finite_quantity": "數量不是有限的數字",
        "after_until": "晚於觀察截止日（供檢驗預測用）",
        "exact_duplicate": "與另一列完全相同",
        "day_net_not_positive": "當天淨額為零或負",
        "zero_value_day": "當天只有免費的列",
        "same_day_lines": "同一顧客同一天的多列",
        "exact_duplicates": "與另一列完全相同，予以保留",
        "negative_lines": "退款或取消，於當天抵銷",
        "zero_value_days": "金額為零的購買日",
        "days_netted_to_nothing": "互相抵銷的天數",
        "refund_days_before_purchase": "首次購買之前的退款日",
    },
    "zh-Hans": {
        "malformed_line": "列数与文件第一行不同",
        "missing_id": "没有顾客编号",
        "missing_time": "没有时间",
        "unparseable_time": "时间无法解读",
        "implausible_time": "日期不可能是订单日期",
        "missing_amount": "没有金额",
        "non_finite_amount": "金额不是有限的数字",
        "missing_quantity": "没有数量",
        "non_finite_quantity": "数量不是有限的数字",
        "after_until": "晚于观察截止日（供检验预测用）",
        "exact_duplicate": "与另一行完全相同",
        "day_net_not_positive": "当天净额为零或负",
        "zero_value_day": "当天只有免费的行",
        "same_day_lines": "同一顾客同一天的多行",
        "exact_duplicates": "与另一行完全相同，予以保留",
        "negative_lines": "退款或取消，于当天抵消",
        "zero_value_days": "金额为零的购买日",
        "days_netted_to_nothing": "互相抵消的天数",
        "refund_days_before_purchase": "首次购买之前的退款日",
    },
}
"""What the keys of a quality record mean."""
