"""Traditional Chinese."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "title": "顧客價值報告",
    "subtitle": "觀察截至 {until} · 預測未來 {horizon}",
    "subtitle_undated": "預測未來 {horizon}",
    "contents": "目錄",
    "made": "於 {created} 以 lifestage {version} 產生",
    "periods_hour": "{n} 小時",
    "periods_day": "{n} 天",
    "periods_week": "{n} 週",
    "periods_month": "{n} 個月",
    "periods_quarter": "{n} 季",
    "periods_year": "{n} 年",
    "days": "{n} 天",
    "count_customers": "{n} 位顧客",
    "interval": "{level} 區間：{low} 至 {high}",
    "separator": "；",
    "nav_headline": "預測",
    "headline": "可以期待什麼",
    "headline_lead": (
        "未來 {horizon}內，這 {customers} 位顧客預計購買 {purchases} 次（{purchases_low} "
        "至 {purchases_high}），消費 {revenue}（{revenue_low} 至 {revenue_high}）。以消費的 "
        "{margin} 計為毛利、每年折現 {rate}，現值為 {ltv}（{ltv_low} 至 {ltv_high}）。括號內為總和的 "
        "{level} 預測區間。"
    ),
    "headline_lead_no_money": (
        "未來 {horizon}內，這 {customers} 位顧客預計購買 {purchases} "
        "次（{purchases_low} 至 {purchases_high}，為總和的 {level} 預測區間）。此模型不含消費金額，"
        "因此本報告不列金額。"
    ),
    "card_purchases": "預期購買次數",
    "card_purchases_note": "{horizon}內的購買日數",
    "card_revenue": "預期營收",
    "card_revenue_note": "{horizon}內的消費，未折現",
    "card_ltv": "顧客終身價值",
    "card_ltv_note": "{horizon}內的毛利，已折現",
    "card_customers": "顧客數",
    "card_customers_note": "{repeaters} 位曾回購（{share}）；共 {orders} 筆訂單",
    "card_at_risk": "有流失風險",
    "card_at_risk_note": "變得沉默的常客，已損失價值 {lost}",
    "card_at_risk_note_no_money": "變得沉默的常客",
    "card_cannot_lose": "不可流失",
    "card_cannot_lose_note": "高價值、正在冷卻、仍可挽回",
    "band_narrow": (
        "總和的區間較窄，因為個別顧客的起伏會互相抵銷；前提是購買行為一如既往，"
        "並未預見將來的行銷活動、價格變動或景氣衰退。"
    ),
    "interval_unreliable": "消費模型沒有有限的變異數：上列金額的區間過窄。",
    "nav_quality": "資料品質",
    "quality": "背後的資料",
    "quality_all_used": "訂單紀錄的 {read} 列全部採用。",
    "quality_lead": (
        "訂單紀錄 {read} 列中採用了 {used} 列（{share}）；{dropped} 列未採用，"
        "每列恰有下表中的一個原因。採用與未採用相加等於讀入的列數。"
    ),
    "quality_none": "此模型由現成的顧客表建立，因此沒有訂單紀錄可供核對。",
    "outcome": "各列的去向",
    "rows": "列數",
    "share": "占比",
    "rows_read": "讀入",
    "rows_used": "採用",
    "dropped": "未採用：{reason}",
    "merged": "採用並併入他列：{reason}",
    "found": "留意到：{reason}",
    "warnings": "資料的警示",
    "no_warnings": "紀錄中沒有需要警示之處。",
    "nav_fit": "模型配適",
    "fit": "模型配適得如何",
    "status": "配適狀態",
    "converged": "{part}：最佳化已收斂。",
    "not_converged": "{part}：最佳化「未」收斂；請勿依這些數字規劃。",
    "part_purchases": "購買",
    "part_spend": "消費",
    "actual": "實際",
    "expected": "模型預期",
    "frequency_heading": "依回購次數的顧客數",
    "frequency_lead": (
        "{actual} 位顧客沒有回購；模型預期 {expected} 位。就所有次數而言，"
        "需有 {wrong} 的顧客換組才會完全相符。"
    ),
    "frequency_x": "截至 {until} 的回購次數",
    "frequency_x_undated": "回購次數",
    "frequency_y": "顧客數",
    "track_cumulative_heading": "累計回購次數",
    "track_weekly_heading": "每週回購次數",
    "track_lead": "截至 {until}，模型預期 {expected} 次回購，實際為 {actual} 次（{gap}）。",
    "track_holdout": (
        "在配適時未曾使用的保留期間，至 {end} 預期 {expected} 次，實際為 {actual} 次（{gap}）。"
    ),
    "track_no_holdout": (
        "本次沒有保留期間，因此曲線顯示的是配適，並未檢驗預測；將觀察截止日提前即可看到檢驗。"
    ),
    "track_weekly_lead": "平均每週有 {mean} 次購買，模型在典型的一週偏差 {error} 次。",
    "track_x": "該週結束於",
    "track_y": "購買次數",
    "holdout": "保留期間",
    "holdout_heading": "依過去行為的保留期間購買次數",
    "holdout_lead": (
        "{until} 之後，每位顧客平均購買 {actual} 次；模型預期 {expected} 次（{gap}）。"
        "下圖依先前的回購次數分列。"
    ),
    "holdout_y": "每位顧客購買次數",
    "parameters": "參數",
    "parameter": "參數",
    "family": "模型",
    "estimate": "估計值",
    "low_high": "95% 區間",
    "log_likelihood": "對數概似",
    "log_likelihood_line": "{part}（{family}，{method}）：對數概似 {value}，AIC {aic}，BIC {bic}。",
    "independence_line": (
        "回購顧客的購買次數與消費金額之相關（Spearman）：{all}；去除最高 "
        "1% 後為 {trimmed}。消費模型假設兩者無關。"
    ),
    "nav_stages": "階段",
    "stages": "顧客位於何處",
    "stages_lead": (
        "階段是把現在於 {window}內購買的機率，與剛完成上次購買時的同一機率相比，"
        "其商稱為留存比。五次購買間隔中有四次不超過 {window}。"
    ),
    "stages_ranges": "括號內為 {level} 區間：在資料所容許的參數之下，人數可能的變動範圍。",
    "taxonomy_line": "好友五階段",
    "taxonomy_phase": "關係的四個時期",
    "taxonomy_segment": "八個價值分群",
    "stage_lead": (
        "人數最多的是「{most}」（{count} 位，{share}）；價值最高的是「{rich}」（占 LTV 的"
        " {value_share}）。"
    ),
    "stage_lead_no_money": "人數最多的是「{most}」（{count} 位，{share}）。",
    "stage": "階段",
    "customers": "顧客數",
    "share_customers": "顧客占比",
    "share_value": "LTV 占比",
    "share_axis": "占全體的比例",
    "ltv": "LTV",
    "ltv_each": "每人 LTV",
    "value_lost": "已損失價值",
    "value_at_risk": "風險中的價值",
    "action": "建議行動",
    "nav_risk": "流失風險",
    "risk": "誰正在離開",
    "risk_lead": (
        "{count} 位常客（占顧客的 {share}）變得沉默。他們的沉默已損失預期價值 {lost}；目前仍值"
        " {ltv}。"
    ),
    "risk_lead_no_money": "{count} 位常客（占顧客的 {share}）變得沉默。",
    "risk_none": "沒有常客變得沉默。",
    "risk_list": "下表列出損失價值最大的 {shown} 位。",
    "risk_cannot_lose": "{count} 位顧客標記為「不可流失」：高價值、正在冷卻、仍可挽回。",
    "risk_caution": "名單說明誰有了變化，不代表誰會回應：沒有對照組，任何模型都無從得知。",
    "customer": "顧客",
    "why": "原因",
    "silent": "沉默天數",
    "p_purchase": "購買機率",
    "nav_value": "價值分布",
    "value": "價值如何分布",
    "value_lead": (
        "價值最高的 10% 顧客占 LTV 的 {top10}，前 20% 占 {top20}。半數顧客每人價值低於 "
        "{median}；平均為 {mean}。"
    ),
    "value_none": "沒有消費模型，因此無從計算價值分布。",
    "value_histogram": "依 LTV 的顧客數",
    "value_histogram_lead": "十位顧客中有九位每人價值低於 {p90}。灰色長條為高於 {end} 的所有顧客。",
    "value_histogram_lead_closed": "十位顧客中有九位每人價值低於 {p90}。",
    "value_x": "每位顧客的 LTV",
    "value_y": "顧客數",
    "concentration": "LTV 的集中程度",
    "concentration_lead": (
        "價值最高的 1% 占 LTV 的 {top1}，前 5% 占 {top5}。若所有顧客價值相同，曲線會落在虛線上。"
    ),
    "concentration_x": "顧客，由價值最高者起",
    "concentration_y": "LTV 占比",
    "quantile": "低於此值的顧客占比",
    "nav_metrics": "指標",
    "metrics": "公式 LTV 與基本指標",
    "formula_lead": (
        "以同樣的 {horizon}計，把平均數代入教科書公式，每位顧客為 {formula}；"
        "模型的估計為 {model}（公式相對於模型：{gap}）。公式把每位顧客都當作始終活躍的平均顧客；"
        "模型只看未來、會折現，並且知道誰已沉默。"
    ),
    "formula_none": "無公式 LTV：需要訂單、營收與日期。",
    "formula": "LTV 的計算方式",
    "formula_value": "每位顧客",
    "formula_gap": "與模型相比",
    "formula_model": "模型，未來 {horizon}",
    "formula_simple": "訂單金額 × 每年購買次數 × 壽命 {years} 年",
    "formula_same_horizon": "訂單金額 × 每年購買次數 × 毛利率，取同樣的 {horizon}",
    "formula_with_margin": "同上，毛利率 {margin}",
    "formula_base": "每位顧客年營收 × {years} 年 − 獲客成本 {cac}",
    "base_metrics": "顧客基礎指標",
    "metric": "指標",
    "metric_value": "數值",
    "change": "與上次相比",
    "by_channel": "依通路",
    "channel": "通路",
    "metrics_none": "指標需要由訂單建立的表。",
    "nav_reading": "閱讀說明",
    "reading": "如何閱讀本報告",
    "reading_alive": (
        "P(alive) 是顧客尚未永久離開的機率。它無法觀察，因此不會拿來與實際比對，也沒有任何標記只依據它。"
    ),
    "reading_purchase": (
        "購買機率都註明期間：在顧客名單中是 {horizon}內至少購買一次，在階段中是 "
        "{window}內。它可以檢驗，標記也依據它。"
    ),
    "reading_interval": (
        "區間是預測區間：未來的數字本身落在其中的機率為 {level}。對單一顧客而言區間很寬，往往包含零。"
    ),
    "reading_value": (
        "LTV 是 {horizon}內消費的 {margin}，每年折現 {rate}。只計未來的購買，"
        "不含過去的購買，也未扣除行銷成本。"
    ),
    "reading_value_no_money": "購買以購買日計：同一天的多筆訂單算一次。",
    "reading_lost": (
        "已損失價值是剛完成上次購買時的 LTV 減去現在的 LTV。這是期望值，並非行銷活動能追回的金額。"
    ),
    "reading_model": "模型假設顧客在離開之前，以各自穩定的步調購買。季節、活動與新產品都不在其中。",
    "terms": "本報告的條件",
    "term_until": "觀察截至",
    "term_horizon": "預測期間",
    "term_window": "階段視窗",
    "term_level": "區間水準",
    "term_discount": "每年折現率",
    "term_margin": "毛利率",
    "versions": "版本",
    "metric_customers": "顧客數",
    "metric_orders": "訂單數",
    "metric_revenue": "營收",
    "metric_repurchase_rate": "回購率",
    "metric_retention": "留存率",
    "metric_churn": "流失率",
    "metric_average_order_value": "平均訂單金額",
    "metric_purchases_per_year": "每年購買次數",
    "metric_lifespan_years": "顧客壽命（年）",
    "metric_arppu": "每位顧客營收（ARPPU）",
    "metric_cac": "獲客成本（CAC）",
    "metric_ltv": "每位顧客 LTV",
    "metric_ltv_to_cac": "LTV : CAC",
    "metric_repeat_revenue_share": "回購顧客營收占比",
    "metric_order_share": "訂單占比",
    "metric_revenue_share": "營收占比",
    "gap": "",
    "fit_lead_holdout": "以 {until} 之後、配適時未曾使用的購買檢驗，模型對總數的預測{gap}。",
    "fit_lead": (
        "模型能重現配適所用的購買：依回購次數，需有 {wrong} 的顧客換組才會完全相符。"
        "本次沒有保留資料，因此並未檢驗預測本身。"
    ),
    "taxonomy_segment_column": "分群",
    "metrics_lead": (
        "留存率與流失率以最近 {window}計：在此之前首購的顧客中，期間內有購買與沒有購買者的占比。"
    ),
    "channels_more": "依顧客數列出 {all} 個通路中最大的 {shown} 個。",
    "too_low": "低了 {gap}",
    "too_high": "高了 {gap}",
    "about_right": "誤差在 1% 以內",
    "bands_widen": "組距由左至右漸寬。",
    "headline_holdout": (
        "以 {until} 之後保留的購買檢驗，預測{gap}。區間假設模型正確，請把這個誤差一併考慮。"
    ),
}
