"""English."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "title": "Customer value report",
    "subtitle": "Observed until {until} · forecast for the next {horizon}",
    "subtitle_undated": "Forecast for the next {horizon}",
    "contents": "Contents",
    "made": "Made {created} with lifestage {version}",
    "periods_hour": "{n} hours",
    "periods_hour_one": "{n} hour",
    "periods_day": "{n} days",
    "periods_day_one": "{n} day",
    "periods_week": "{n} weeks",
    "periods_week_one": "{n} week",
    "periods_month": "{n} months",
    "periods_month_one": "{n} month",
    "periods_quarter": "{n} quarters",
    "periods_quarter_one": "{n} quarter",
    "periods_year": "{n} years",
    "periods_year_one": "{n} year",
    "days": "{n} days",
    "count_customers": "{n} customers",
    "count_customers_one": "{n} customer",
    "days_one": "{n} day",
    "interval": "{level} interval: {low} to {high}",
    "separator": "; ",
    "nav_headline": "Forecast",
    "headline": "What to expect",
    "headline_lead": (
        "In the next {horizon}, these {customers} customers are expected "
        "to make {purchases} purchases ({purchases_low} to {purchases_high}) and to spend "
        "{revenue} ({revenue_low} to {revenue_high}). Counting {margin} of spend as margin "
        "and discounting at {rate} a year, that is worth {ltv} today ({ltv_low} to {ltv_high}). "
        "The ranges are {level} predictive intervals of the totals."
    ),
    "headline_lead_no_money": (
        "In the next {horizon}, these {customers} customers are "
        "expected to make {purchases} purchases ({purchases_low} to {purchases_high}; the "
        "range is a {level} predictive interval of the total). The model has no spend part,"
        " so this report names no money."
    ),
    "card_purchases": "Expected purchases",
    "card_purchases_note": "purchase days within {horizon}",
    "card_revenue": "Expected revenue",
    "card_revenue_note": "spend within {horizon}, not discounted",
    "card_ltv": "Customer lifetime value",
    "card_ltv_note": "margin within {horizon}, discounted",
    "card_customers": "Customers",
    "card_customers_note": "{repeaters} bought again ({share}); {orders} orders in all",
    "card_at_risk": "At risk",
    "card_at_risk_note": "frequent buyers gone quiet, {lost} of value lost",
    "card_at_risk_note_no_money": "frequent buyers gone quiet",
    "card_cannot_lose": "Cannot lose",
    "card_cannot_lose_note": "high value, cooling, still within reach",
    "band_narrow": (
        "The intervals of the totals are narrow because ups and downs of single "
        "customers cancel out; they hold if buying goes on as before, and do not know of campaigns,"
        " price changes or a recession to come."
    ),
    "interval_unreliable": (
        "The spend model has no finite variance: the money intervals above are too narrow."
    ),
    "nav_quality": "Data quality",
    "quality": "The data behind it",
    "quality_all_used": "All {read} rows of the order log were used.",
    "quality_lead": (
        "{used} of {read} rows of the order log were used ({share}); {dropped} "
        "were left out, each for one of the reasons below. Used and left out add up to the "
        "rows read."
    ),
    "quality_none": (
        "The model was made from a ready-made customer table, so there is no order log to account"
        " for."
    ),
    "outcome": "What became of the rows",
    "rows": "Rows",
    "share": "Share",
    "rows_read": "Read",
    "rows_used": "Used",
    "dropped": "Left out: {reason}",
    "merged": "Used, folded into another: {reason}",
    "found": "Noticed: {reason}",
    "warnings": "Warnings about the data",
    "no_warnings": "Nothing in the log called for a warning.",
    "nav_fit": "Model fit",
    "fit": "How well the model fits",
    "status": "Status of the fit",
    "converged": "{part}: the optimiser converged.",
    "not_converged": "{part}: the optimiser did NOT converge; do not plan on these numbers.",
    "part_purchases": "Purchases",
    "part_spend": "Spend",
    "actual": "Actual",
    "expected": "Expected by the model",
    "frequency_heading": "Customers by number of repeat purchases",
    "frequency_lead": (
        "{actual} customers made no repeat purchase; the model expects {expected}. "
        "Over all counts, {wrong} of customers would have to change place for a perfect match."
    ),
    "frequency_x": "repeat purchases up to {until}",
    "frequency_x_undated": "repeat purchases",
    "frequency_y": "customers",
    "track_cumulative_heading": "Repeat purchases, running total",
    "track_weekly_heading": "Repeat purchases, week by week",
    "track_lead": (
        "Up to {until} the model expects {expected} repeat purchases and {actual} were made"
        " ({gap})."
    ),
    "track_holdout": (
        "In the holdout, which the fit never saw, it expects {expected} up "
        "to {end} and {actual} were made ({gap})."
    ),
    "track_no_holdout": (
        "This run holds no data back, so the curve shows the fit and does "
        "not test the forecast; end the observation earlier to see one."
    ),
    "track_weekly_lead": (
        "In a typical week the model is off by {error} purchases, where an average week has {mean}."
    ),
    "track_x": "week ending in",
    "track_y": "purchases",
    "holdout": "holdout",
    "holdout_heading": "Purchases in the holdout by past behaviour",
    "holdout_lead": (
        "After {until} a customer made {actual} purchases on average; the "
        "model expects {expected} ({gap}). The chart splits this by the repeat purchases made "
        "before."
    ),
    "holdout_y": "purchases a customer",
    "parameters": "Parameters",
    "parameter": "Parameter",
    "family": "Model",
    "estimate": "Estimate",
    "low_high": "95% interval",
    "log_likelihood": "Log-likelihood",
    "log_likelihood_line": (
        "{part} ({family}, {method}): log-likelihood {value}, AIC {aic}, BIC {bic}."
    ),
    "independence_line": (
        "Correlation of frequency and spend among repeat buyers (Spearman): "
        "{all}; {trimmed} without the top 1%. The spend model assumes none."
    ),
    "nav_stages": "Stages",
    "stages": "Where customers stand",
    "stages_lead": (
        "Stages compare the chance of buying within {window} now with the same "
        "chance just after the last purchase; the quotient is called retained. Four in five "
        "gaps between purchases are at most {window} long."
    ),
    "stages_ranges": (
        "Ranges in brackets are {level} intervals: how far the counts move with the "
        "parameters that the data allow."
    ),
    "taxonomy_line": "Five friend stages",
    "taxonomy_phase": "Four phases of the relationship",
    "taxonomy_segment": "Eight value segments",
    "stage_lead": (
        "Most customers are in “{most}” ({count}, {share}); most value is "
        "in “{rich}” ({value_share} of LTV)."
    ),
    "stage_lead_no_money": "Most customers are in “{most}” ({count}, {share}).",
    "stage": "Stage",
    "customers": "Customers",
    "share_customers": "Share of customers",
    "share_value": "Share of LTV",
    "share_axis": "share of all",
    "ltv": "LTV",
    "ltv_each": "LTV each",
    "value_lost": "Value lost",
    "value_at_risk": "At-risk value",
    "action": "Recommended action",
    "nav_risk": "At risk",
    "risk": "Who is slipping away",
    "risk_lead": (
        "{count} frequent buyers ({share} of customers) have gone quiet. Their "
        "silence has cost {lost} of expected value; they are still worth {ltv}."
    ),
    "risk_lead_one": (
        "{count} frequent buyer ({share} of customers) has gone quiet. The "
        "silence has cost {lost} of expected value; the customer is still worth {ltv}."
    ),
    "risk_lead_no_money_one": "{count} frequent buyer ({share} of customers) has gone quiet.",
    "risk_lead_no_money": "{count} frequent buyers ({share} of customers) have gone quiet.",
    "risk_none": "No frequent buyer has gone quiet.",
    "risk_list_one": "The customer with most value at stake comes first.",
    "risk_list": "The {shown} with most value at stake come first.",
    "risk_cannot_lose_one": (
        "{count} customer carries the flag “cannot lose”: high value, cooling, still within reach."
    ),
    "risk_cannot_lose": (
        "{count} customers carry the flag “cannot lose”: high value, cooling, still within reach."
    ),
    "risk_caution": (
        "The list says who has changed, not who will respond: without a test group no model can"
        " tell."
    ),
    "customer": "Customer",
    "why": "Why",
    "silent": "Silent, days",
    "p_purchase": "Chance of buying",
    "nav_value": "Value spread",
    "value": "How value is spread",
    "value_lead": (
        "The most valuable 10% of customers hold {top10} of LTV, the top 20 "
        "% hold {top20}. Half of all customers are worth less than {median} each; the mean "
        "is {mean}."
    ),
    "value_none": "Without a spend model there is no value to spread.",
    "value_histogram": "Customers by LTV",
    "value_histogram_lead": (
        "Nine in ten customers are worth less than {p90} each. The "
        "grey bar holds everyone above {end}."
    ),
    "value_histogram_lead_closed": "Nine in ten customers are worth less than {p90} each.",
    "value_x": "LTV a customer",
    "value_y": "customers",
    "concentration": "Concentration of LTV",
    "concentration_lead": (
        "The most valuable 1% hold {top1} of LTV and the top 5% hold "
        "{top5}. On the dashed line all customers would be worth the same."
    ),
    "concentration_x": "customers, most valuable first",
    "concentration_y": "share of LTV",
    "quantile": "Share of customers below",
    "nav_metrics": "Metrics",
    "metrics": "Formula LTV and base metrics",
    "formula_lead": (
        "Over the same {horizon}, averages put into the textbook formula give "
        "{formula} a customer; the model says {model} (formula against model: {gap}). The "
        "formula counts every customer as average and active throughout; the model looks only "
        "ahead, discounts, and knows who has gone quiet."
    ),
    "formula_none": "No formula LTV: it needs orders, revenue and dates.",
    "formula": "Way to reckon LTV",
    "formula_value": "A customer",
    "formula_gap": "Against the model",
    "formula_model": "Model, next {horizon}",
    "formula_simple": "Order value × purchases a year × lifespan of {years} years",
    "formula_same_horizon": "Order value × purchases a year × margin over the same {horizon}",
    "formula_with_margin": "The same with a margin of {margin}",
    "formula_base": "Revenue a customer and year × {years} years − acquisition cost {cac}",
    "base_metrics": "Metrics of the base",
    "metric": "Metric",
    "metric_value": "Value",
    "change": "Since the last run",
    "by_channel": "By channel",
    "channel": "Channel",
    "metrics_none": "Metrics need a table made from orders.",
    "nav_reading": "How to read this",
    "reading": "How to read this",
    "reading_alive": (
        "P(alive) is the chance that a customer has not dropped out for good. "
        "Nobody can observe it, so it is never checked against reality and no flag here rests "
        "on it alone."
    ),
    "reading_purchase": (
        "The chance of buying names its horizon: at least one purchase "
        "within {horizon} in the list of customers, within {window} in the stages. It can "
        "be checked, and it is what the flags use."
    ),
    "reading_interval": (
        "Intervals are predictive: with a chance of {level} the future "
        "number itself falls inside. For a single customer they are wide, and zero is often "
        "part of them."
    ),
    "reading_value": (
        "LTV is {margin} of spend within {horizon}, discounted at {rate} "
        "a year. It counts future purchases only, no past ones, and no cost of marketing."
    ),
    "reading_value_no_money": "Purchases are purchase days: several orders of one day count once.",
    "reading_lost": (
        "Value lost is LTV as it stood just after the last purchase, less "
        "LTV now. It is an expectation and not money that a campaign brings back."
    ),
    "reading_model": (
        "The model assumes that customers buy at a steady pace of their own "
        "until they leave. Seasons, campaigns and new products are not in it."
    ),
    "terms": "Terms of this report",
    "term_until": "Observed until",
    "term_horizon": "Forecast horizon",
    "term_window": "Stage window",
    "term_level": "Level of intervals",
    "term_discount": "Discount rate a year",
    "term_margin": "Margin",
    "versions": "Versions",
    "metric_customers": "Customers",
    "metric_orders": "Orders",
    "metric_revenue": "Revenue",
    "metric_repurchase_rate": "Repurchase rate",
    "metric_retention": "Retention",
    "metric_churn": "Churn",
    "metric_average_order_value": "Average order value",
    "metric_purchases_per_year": "Purchases a year",
    "metric_lifespan_years": "Lifespan, years",
    "metric_arppu": "Revenue a customer (ARPPU)",
    "metric_cac": "Acquisition cost (CAC)",
    "metric_ltv": "LTV a customer",
    "metric_ltv_to_cac": "LTV : CAC",
    "metric_repeat_revenue_share": "Revenue from repeat buyers",
    "metric_order_share": "Share of orders",
    "metric_revenue_share": "Share of revenue",
    "gap": " ",
    "fit_lead_holdout": (
        "Put to the test after {until}, on purchases that the fit never "
        "saw, the forecast of the total was {gap}."
    ),
    "fit_lead": (
        "The model reproduces the purchases it was fitted to: {wrong} of customers "
        "would have to change place for a perfect match by number of repeat purchases. Nothing "
        "was held back, so the forecast itself is not tested here."
    ),
    "taxonomy_segment_column": "Segment",
    "metrics_lead": (
        "Retention and churn are those of the last {window}: of the customers "
        "first seen before, the share who did and did not buy in it."
    ),
    "channels_more": "The {shown} largest of {all} channels, by customers.",
    "too_low": "{gap} too low",
    "too_high": "{gap} too high",
    "about_right": "right to within 1%",
    "bands_widen": "The bands get wider to the right.",
    "headline_holdout": (
        "On the purchases after {until}, held back as a test, the forecast was {gap}. "
        "Keep that error in mind beside the intervals, which assume that the model is right."
    ),
}
