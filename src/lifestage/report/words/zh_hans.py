"""Simplified Chinese."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "title": "顾客价值报告",
    "subtitle": "观察截至 {until} · 预测未来 {horizon}",
    "subtitle_undated": "预测未来 {horizon}",
    "contents": "目录",
    "made": "于 {created} 以 lifestage {version} 产生",
    "periods_hour": "{n} 小时",
    "periods_day": "{n} 天",
    "periods_week": "{n} 周",
    "periods_month": "{n} 个月",
    "periods_quarter": "{n} 个季度",
    "periods_year": "{n} 年",
    "days": "{n} 天",
    "count_customers": "{n} 位顾客",
    "interval": "{level} 区间：{low} 至 {high}",
    "separator": "；",
    "nav_headline": "预测",
    "headline": "可以期待什么",
    "headline_lead": (
        "未来 {horizon}内，这 {customers} 位顾客预计购买 {purchases} 次（{purchases_low} "
        "至 {purchases_high}），消费 {revenue}（{revenue_low} 至 {revenue_high}）。以消费的 "
        "{margin} 计为毛利、每年折现 {rate}，现值为 {ltv}（{ltv_low} 至 {ltv_high}）。括号内为总和的 "
        "{level} 预测区间。"
    ),
    "headline_lead_no_money": (
        "未来 {horizon}内，这 {customers} 位顾客预计购买 {purchases} "
        "次（{purchases_low} 至 {purchases_high}，为总和的 {level} 预测区间）。此模型不含消费金额，"
        "因此本报告不列金额。"
    ),
    "card_purchases": "预期购买次数",
    "card_purchases_note": "{horizon}内的购买天数",
    "card_revenue": "预期营收",
    "card_revenue_note": "{horizon}内的消费，未折现",
    "card_ltv": "顾客终身价值",
    "card_ltv_note": "{horizon}内的毛利，已折现",
    "card_customers": "顾客数",
    "card_customers_note": "{repeaters} 位曾回购（{share}）；共 {orders} 笔订单",
    "card_at_risk": "有流失风险",
    "card_at_risk_note": "变得沉默的常客，已损失价值 {lost}",
    "card_at_risk_note_no_money": "变得沉默的常客",
    "card_cannot_lose": "不可流失",
    "card_cannot_lose_note": "高价值、正在冷却、仍可挽回",
    "band_narrow": (
        "总和的区间较窄，因为个别顾客的起伏会互相抵消；前提是购买行为一如既往，"
        "并未预见将来的营销活动、价格变动或景气衰退。"
    ),
    "interval_unreliable": "消费模型没有有限的方差：上列金额的区间过窄。",
    "nav_quality": "数据质量",
    "quality": "背后的数据",
    "quality_all_used": "订单记录的 {read} 行全部采用。",
    "quality_lead": (
        "订单记录 {read} 行中采用了 {used} 行（{share}）；{dropped} 行未采用，"
        "每行恰有下表中的一个原因。采用与未采用相加等于读入的行数。"
    ),
    "quality_none": "此模型由现成的顾客表创建，因此没有订单记录可供核对。",
    "outcome": "各行的去向",
    "rows": "行数",
    "share": "占比",
    "rows_read": "读入",
    "rows_used": "采用",
    "dropped": "未采用：{reason}",
    "merged": "采用并合并到其他行：{reason}",
    "found": "留意到：{reason}",
    "warnings": "数据的警示",
    "no_warnings": "记录中没有需要警示之处。",
    "nav_fit": "模型拟合",
    "fit": "模型拟合得如何",
    "status": "拟合状态",
    "converged": "{part}：优化已收敛。",
    "not_converged": "{part}：优化“未”收敛；请勿依据这些数字规划。",
    "part_purchases": "购买",
    "part_spend": "消费",
    "actual": "实际",
    "expected": "模型预期",
    "frequency_heading": "按回购次数的顾客数",
    "frequency_lead": (
        "{actual} 位顾客没有回购；模型预期 {expected} 位。就所有次数而言，"
        "需有 {wrong} 的顾客换组才会完全相符。"
    ),
    "frequency_x": "截至 {until} 的回购次数",
    "frequency_x_undated": "回购次数",
    "frequency_y": "顾客数",
    "track_cumulative_heading": "累计回购次数",
    "track_weekly_heading": "每周回购次数",
    "track_lead": "截至 {until}，模型预期 {expected} 次回购，实际为 {actual} 次（{gap}）。",
    "track_holdout": (
        "在拟合时未曾使用的留出期，至 {end} 预期 {expected} 次，实际为 {actual} 次（{gap}）。"
    ),
    "track_no_holdout": (
        "本次没有留出期，因此曲线显示的是拟合，并未检验预测；将观察截止日提前即可看到检验。"
    ),
    "track_weekly_lead": "平均每周有 {mean} 次购买，模型在典型的一周偏差 {error} 次。",
    "track_x": "该周结束于",
    "track_y": "购买次数",
    "holdout": "留出期",
    "holdout_heading": "按过去行为的留出期购买次数",
    "holdout_lead": (
        "{until} 之后，每位顾客平均购买 {actual} 次；模型预期 {expected} 次（{gap}）。"
        "下图按先前的回购次数分别列出。"
    ),
    "holdout_y": "每位顾客购买次数",
    "parameters": "参数",
    "parameter": "参数",
    "family": "模型",
    "estimate": "估计值",
    "low_high": "95% 区间",
    "log_likelihood": "对数似然",
    "log_likelihood_line": "{part}（{family}，{method}）：对数似然 {value}，AIC {aic}，BIC {bic}。",
    "independence_line": (
        "回购顾客的购买次数与消费金额之相关（Spearman）：{all}；去除最高 "
        "1% 后为 {trimmed}。消费模型假设两者无关。"
    ),
    "nav_stages": "阶段",
    "stages": "顾客位于何处",
    "stages_lead": (
        "阶段是把现在于 {window}内购买的概率，与刚完成上次购买时的同一概率相比，"
        "其商称为留存比。五次购买间隔中有四次不超过 {window}。"
    ),
    "stages_ranges": "括号内为 {level} 区间：在数据所容许的参数之下，人数可能的变动范围。",
    "taxonomy_line": "好友五阶段",
    "taxonomy_phase": "关系的四个时期",
    "taxonomy_segment": "八个价值分群",
    "stage_lead": (
        "人数最多的是“{most}”（{count} 位，{share}）；价值最高的是“{rich}”（占 LTV 的"
        " {value_share}）。"
    ),
    "stage_lead_no_money": "人数最多的是“{most}”（{count} 位，{share}）。",
    "stage": "阶段",
    "customers": "顾客数",
    "share_customers": "顾客占比",
    "share_value": "LTV 占比",
    "share_axis": "占全体的比例",
    "ltv": "LTV",
    "ltv_each": "每人 LTV",
    "value_lost": "已损失价值",
    "value_at_risk": "风险中的价值",
    "action": "建议行动",
    "nav_risk": "流失风险",
    "risk": "谁正在离开",
    "risk_lead": (
        "{count} 位常客（占顾客的 {share}）变得沉默。他们的沉默已损失预期价值 {lost}；目前仍值"
        " {ltv}。"
    ),
    "risk_lead_no_money": "{count} 位常客（占顾客的 {share}）变得沉默。",
    "risk_none": "没有常客变得沉默。",
    "risk_list": "下表列出损失价值最大的 {shown} 位。",
    "risk_cannot_lose": "{count} 位顾客标记为“不可流失”：高价值、正在冷却、仍可挽回。",
    "risk_caution": "名单说明谁有了变化，不代表谁会回应：没有对照组，任何模型都无从得知。",
    "customer": "顾客",
    "why": "原因",
    "silent": "沉默天数",
    "p_purchase": "购买概率",
    "nav_value": "价值分布",
    "value": "价值如何分布",
    "value_lead": (
        "价值最高的 10% 顾客占 LTV 的 {top10}，前 20% 占 {top20}。半数顾客每人价值低于 "
        "{median}；平均为 {mean}。"
    ),
    "value_none": "没有消费模型，因此无从计算价值分布。",
    "value_histogram": "按 LTV 的顾客数",
    "value_histogram_lead": "十位顾客中有九位每人价值低于 {p90}。灰色柱为高于 {end} 的所有顾客。",
    "value_histogram_lead_closed": "十位顾客中有九位每人价值低于 {p90}。",
    "value_x": "每位顾客的 LTV",
    "value_y": "顾客数",
    "concentration": "LTV 的集中程度",
    "concentration_lead": (
        "价值最高的 1% 占 LTV 的 {top1}，前 5% 占 {top5}。若所有顾客价值相同，曲线会落在虚在线。"
    ),
    "concentration_x": "顾客，由价值最高者起",
    "concentration_y": "LTV 占比",
    "quantile": "低于此值的顾客占比",
    "nav_metrics": "指标",
    "metrics": "公式 LTV 与基本指标",
    "formula_lead": (
        "以同样的 {horizon}计，把平均数代入教科书公式，每位顾客为 {formula}；"
        "模型的估计为 {model}（公式相对于模型：{gap}）。公式把每位顾客都当作始终活跃的平均顾客；"
        "模型只看未来、会折现，并且知道谁已沉默。"
    ),
    "formula_none": "无公式 LTV：需要订单、营收与日期。",
    "formula": "LTV 的计算方式",
    "formula_value": "每位顾客",
    "formula_gap": "与模型相比",
    "formula_model": "模型，未来 {horizon}",
    "formula_simple": "订单金额 × 每年购买次数 × 寿命 {years} 年",
    "formula_same_horizon": "订单金额 × 每年购买次数 × 毛利率，取同样的 {horizon}",
    "formula_with_margin": "同上，毛利率 {margin}",
    "formula_base": "每位顾客年营收 × {years} 年 − 获客成本 {cac}",
    "base_metrics": "顾客基础指标",
    "metric": "指标",
    "metric_value": "数值",
    "change": "与上次相比",
    "by_channel": "按渠道",
    "channel": "渠道",
    "metrics_none": "指标需要由订单创建的表。",
    "nav_reading": "阅读说明",
    "reading": "如何阅读本报告",
    "reading_alive": (
        "P(alive) 是顾客尚未永久离开的概率。它无法观察，因此不会拿来与实际比对，也没有任何标记只依据它。"
    ),
    "reading_purchase": (
        "购买概率都注明期间：在顾客名单中是 {horizon}内至少购买一次，在阶段中是 "
        "{window}内。它可以检验，标记也依据它。"
    ),
    "reading_interval": (
        "区间是预测区间：未来的数字本身落在其中的概率为 {level}。对单一顾客而言区间很宽，往往包含零。"
    ),
    "reading_value": (
        "LTV 是 {horizon}内消费的 {margin}，每年折现 {rate}。只计未来的购买，"
        "不含过去的购买，也未扣除营销成本。"
    ),
    "reading_value_no_money": "购买以购买日计：同一天的多笔订单算一次。",
    "reading_lost": (
        "已损失价值是刚完成上次购买时的 LTV 减去现在的 LTV。这是期望值，并非营销活动能追回的金额。"
    ),
    "reading_model": "模型假设顾客在离开之前，以各自稳定的步调购买。季节、活动与新产品都不在其中。",
    "terms": "本报告的条件",
    "term_until": "观察截至",
    "term_horizon": "预测期间",
    "term_window": "阶段窗口",
    "term_level": "区间水准",
    "term_discount": "每年折现率",
    "term_margin": "毛利率",
    "versions": "版本",
    "metric_customers": "顾客数",
    "metric_orders": "订单数",
    "metric_revenue": "营收",
    "metric_repurchase_rate": "回购率",
    "metric_retention": "留存率",
    "metric_churn": "流失率",
    "metric_average_order_value": "平均订单金额",
    "metric_purchases_per_year": "每年购买次数",
    "metric_lifespan_years": "顾客寿命（年）",
    "metric_arppu": "每位顾客营收（ARPPU）",
    "metric_cac": "获客成本（CAC）",
    "metric_ltv": "每位顾客 LTV",
    "metric_ltv_to_cac": "LTV : CAC",
    "metric_repeat_revenue_share": "回购顾客营收占比",
    "metric_order_share": "订单占比",
    "metric_revenue_share": "营收占比",
    "gap": "",
    "fit_lead_holdout": "以 {until} 之后、拟合时未曾使用的购买检验，模型对总数的预测{gap}。",
    "fit_lead": (
        "模型能重现拟合所用的购买：按回购次数，需有 {wrong} 的顾客换组才会完全相符。"
        "本次没有留出数据，因此并未检验预测本身。"
    ),
    "taxonomy_segment_column": "分群",
    "metrics_lead": (
        "留存率与流失率以最近 {window}计：在此之前首购的顾客中，期间内有购买与没有购买者的占比。"
    ),
    "channels_more": "按顾客数列出 {all} 个渠道中最大的 {shown} 个。",
    "too_low": "低了 {gap}",
    "too_high": "高了 {gap}",
    "about_right": "误差在 1% 以内",
    "bands_widen": "组距由左至右渐宽。",
    "headline_holdout": (
        "以 {until} 之后留出的购买检验，预测{gap}。区间假设模型正确，请把这个误差一并考虑。"
    ),
}
