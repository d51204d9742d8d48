"""Notes of the data and of the fit in Chinese, by code; English readers get the sentence that the note carries."""

from __future__ import annotations

NOTES: dict[str, dict[str, str]] = {
    "zh-Hant": {
        "at_bound": "{family} 的參數 {parameter} 抵達邊界：資料無法決定它。",
        "flat": "{family} 的概似函數在某個方向上是平的：無法計算標準誤。",
        "no_repeaters": "沒有人購買兩次：購買率與流失皆無法辨識，預測接近零。",
        "few_repeaters": "只有 {repeaters} 位回購顧客：參數的估計並不可靠。",
        "few_customers": "只有 {customers} 位顧客：參數的估計並不可靠。",
        "dropout_not_identified": "流失無法辨識（每次購買後平均流失機率為 {dropout:.2%}）：P(alive) 對每個人都必然接近 1，"
        "因此請以購買機率而非 P(alive) 判斷顧客。",
        "alive_by_assumption": "BG/NBD 假設只買過一次的顧客 P(alive) = 1；MBG/NBD 則不然。",
        "few_spenders": "只有 {repeaters} 位有正消費的回購顧客：消費模型倚賴其先驗。",
        "spend_mean_infinite": "消費模型沒有有限的平均數（q = {q:.3g} ≤ 1）：改用觀察到的平均消費代替其期望值。",
        "spend_frequency_correlated": "消費金額與購買次數相關（Spearman {all[spearman]:+.2f}；去除消費最高的 1 % 後為 "
        "{without_top_1_percent[spearman]:+.2f}），但消費模型假設兩者無關：常客的 LTV 有偏差。",
    },
    "zh-Hans": {
        "at_bound": "{family} 的参数 {parameter} 抵达边界：数据无法决定它。",
        "flat": "{family} 的似然函数在某个方向上是平的：无法计算标准误。",
        "no_repeaters": "没有人购买两次：购买率与流失皆无法识别，预测接近零。",
        "few_repeaters": "只有 {repeaters} 位回购顾客：参数的估计并不可靠。",
        "few_customers": "只有 {customers} 位顾客：参数的估计并不可靠。",
        "dropout_not_identified": "流失无法识别（每次购买后平均流失概率为 {dropout:.2%}）：P(alive) 对每个人都必然接近 1，"
        "因此请以购买概率而非 P(alive) 判断顾客。",
        "alive_by_assumption": "BG/NBD 假设只买过一次的顾客 P(alive) = 1；MBG/NBD 则不然。",
        "few_spenders": "只有 {repeaters} 位有正消费的回购顾客：消费模型倚赖其先验。",
        "spend_mean_infinite": "消费模型没有有限的平均数（q = {q:.3g} ≤ 1）：改用观察到的平均消费代替其期望值。",
        "spend_frequency_correlated": "消费金额与购买次数相关（Spearman {all[spearman]:+.2f}；去除消费最高的 1 % 后为 "
        "{without_top_1_percent[spearman]:+.2f}），但消费模型假设两者无关：常客的 LTV 有偏差。",
    },
}
"""Templates over the values of the note."""

REASONS: dict[str, dict[str, str]] = {"en": {}, "zh-Hant": {}, "zh-Hans": {}}
"""Names of the keys of a quality record."""
