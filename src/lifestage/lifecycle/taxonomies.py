"""The stages of the three taxonomies: one table each, in order, with labels and advice in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lifestage.errors import ConfigError

__all__ = ["LANGUAGES", "TAXONOMIES", "Stage", "check_language", "label", "stage"]

LANGUAGES = ("en", "zh-Hant", "zh-Hans")


@dataclass(frozen=True)
class Stage:
    """One stage: its key in the columns, and label, goal and actions by language (``en``, ``zh-Hant``, ``zh-Hans``)."""

    taxonomy: str
    key: str
    labels: Mapping[str, str]
    goals: Mapping[str, str]
    actions: Mapping[str, str]


def check_language(lang: str) -> str:
    """Return *lang*, or raise a ConfigError if there are no texts in it."""
    if lang not in LANGUAGES:
        raise ConfigError(f"lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    return lang


def stage(taxonomy: str, key: str) -> Stage:
    """Return the stage called *key*.

    Raises
    ------
    ConfigError
        If there is no such taxonomy or stage.
    """
    if taxonomy not in TAXONOMIES:
        raise ConfigError(f"taxonomy must be one of {', '.join(TAXONOMIES)}; got {taxonomy!r}")
    found = {each.key: each for each in TAXONOMIES[taxonomy]}
    if key not in found:
        raise ConfigError(f"stage of {taxonomy} must be one of {', '.join(found)}; got {key!r}")
    return found[key]


def label(taxonomy: str, key: str, lang: str = "en") -> str:
    """Name of a stage for people.

    Examples
    --------
    >>> label("line", "drowsy"), label("line", "drowsy", "zh-Hant")
    ('Drowsy', '嗜睡好友')
    """
    return stage(taxonomy, key).labels[check_language(lang)]


Texts = tuple[str, str, str]
"""One text in each of LANGUAGES."""


def _table(taxonomy: str, rows: Mapping[str, tuple[Texts, Texts, Texts]]) -> tuple[Stage, ...]:
    def by_language(texts: Texts) -> Mapping[str, str]:
        return MappingProxyType(dict(zip(LANGUAGES, texts, strict=True)))

    return tuple(Stage(taxonomy, key, *(by_language(texts) for texts in row)) for key, row in rows.items())


_FIRST_STEPS = (
    "Ads with social proof; a medium discount on the next purchase",
    "以口碑見證搭配廣告；下次購買給予中等折扣",
    "以口碑见证搭配广告；下次购买给予中等折扣",
)

LINE = _table(
    "line",
    {
        "prospect": (
            ("Prospect", "潛在好友", "潜在好友"),
            ("Win the first purchase", "促成首次購買", "促成首次购买"),
            _FIRST_STEPS,
        ),
        "new": (
            ("New friend", "新好友", "新好友"),
            ("Keep interest alive and win the first repeat", "維持興趣，促成首次回購", "维持兴趣，促成首次复购"),
            _FIRST_STEPS,
        ),
        "active": (
            ("Active", "積極好友", "积极好友"),
            ("Raise what each member is worth", "提升會員價值", "提升会员价值"),
            (
                "Loyalty programme with small rewards; messages that follow behaviour; referral campaigns",
                "以小額回饋經營忠誠計畫；依行為發送訊息；推薦好友的裂變活動",
                "以小额回馈经营忠诚计划；依行为发送消息；推荐好友的裂变活动",
            ),
        ),
        "drowsy": (
            ("Drowsy", "嗜睡好友", "嗜睡好友"),
            ("Bring back to active", "帶回積極狀態", "带回积极状态"),
            (
                "Repeated reminders by mail, SMS and social media; a VIP-only shelf or a large discount",
                "透過郵件、簡訊與社群多次提醒；VIP 專區或高額折扣",
                "通过邮件、短信与社交媒体多次提醒；VIP 专区或高额折扣",
            ),
        ),
        "half_asleep": (
            ("Half asleep", "半睡好友", "半睡好友"),
            ("Win attention back", "重新吸引注意", "重新吸引注意"),
            (
                "Offers drawn from past purchases; a survey; a short promotion that ends soon",
                "依購買紀錄再行銷；問卷調查；短期限時促銷",
                "依购买记录再营销；问卷调查；短期限时促销",
            ),
        ),
        "asleep": (
            ("Asleep", "沈睡好友", "沉睡好友"),
            ("Get in touch again", "重新建立聯繫", "重新建立联系"),
            (
                "A gift or special offer; a survey on why they left",
                "贈禮或特別優惠；流失原因調查",
                "赠礼或特别优惠；流失原因调查",
            ),
        ),
    },
)

PHASE = _table(
    "phase",
    {
        "acquire": (
            ("Acquire", "獲取", "获取"),
            ("Widen the points of contact", "擴大接觸點", "扩大接触点"),
            (
                "Be present in more channels; give a reason for the first or second purchase",
                "增加曝光管道；給予首購或再購的理由",
                "增加曝光渠道；给予首购或再购的理由",
            ),
        ),
        "engage": (
            ("Engage", "互動", "互动"),
            ("Deliver value and cut bounce", "傳遞價值，降低跳離", "传递价值，降低跳出"),
            (
                "Show what the product is good for; ask what was missing; make coming back easy",
                "展示產品用途；詢問不足之處；讓回訪更容易",
                "展示产品用途；询问不足之处；让回访更容易",
            ),
        ),
        "grow": (
            ("Grow", "成長", "成长"),
            ("Keep use regular with services", "以服務維持規律使用", "以服务维持规律使用"),
            (
                "Services and reminders that fit the rhythm of purchases; complementary products",
                "依購買節奏提供服務與提醒；推薦互補商品",
                "依购买节奏提供服务与提醒；推荐互补商品",
            ),
        ),
        "retain": (
            ("Retain", "留存", "留存"),
            ("Turn customers into advocates", "讓顧客成為擁護者", "让顾客成为拥护者"),
            (
                "Invite to test products; reward referrals; ask for reviews",
                "邀請試用新品；獎勵推薦；邀請評價",
                "邀请试用新品；奖励推荐；邀请评价",
            ),
        ),
    },
)

SEGMENT = _table(
    "segment",
    {
        "prospect": (
            ("Prospect", "潛在顧客", "潜在顾客"),
            ("Win the first purchase", "促成首次購買", "促成首次购买"),
            _FIRST_STEPS,
        ),
        "champion": (
            ("Champion", "冠軍", "冠军"),
            ("Honour the best customers", "善待最佳顧客", "善待最佳顾客"),
            (
                "Early access; personal recommendations and up-sell; VIP service",
                "新品搶先購；個人化推薦與升級銷售；VIP 服務",
                "新品抢先购；个性化推荐与升级销售；VIP 服务",
            ),
        ),
        "loyal": (
            ("Loyal", "忠誠", "忠诚"),
            ("Deepen loyalty and spread the word", "深化忠誠，擴大口碑", "深化忠诚，扩大口碑"),
            (
                "Referral with a rich reward; exclusive offers; new products; restock reminders; cross-sell",
                "高額推薦獎勵；專屬優惠；新品；補貨提醒；交叉銷售",
                "高额推荐奖励；专属优惠；新品；补货提醒；交叉销售",
            ),
        ),
        "recent": (
            ("Recent", "近期購買", "近期购买"),
            ("Win the second purchase", "促成第二次購買", "促成第二次购买"),
            (
                "A thank-you; an exclusive offer to repeat; an invitation to the loyalty programme; cross-sell",
                "感謝訊息；專屬回購優惠；邀請加入忠誠計畫；交叉銷售",
                "感谢消息；专属复购优惠；邀请加入忠诚计划；交叉销售",
            ),
        ),
        "high_potential": (
            ("High potential", "高潛力", "高潜力"),
            ("Raise the value of each purchase", "提高每次購買的價值", "提高每次购买的价值"),
            (
                "Up-sell; bundles; offers for a limited time; paid ads in several channels",
                "升級銷售；組合優惠；限時優惠；多管道付費廣告",
                "升级销售；组合优惠；限时优惠；多渠道付费广告",
            ),
        ),
        "need_nurturing": (
            ("Need nurturing", "需要培育", "需要培育"),
            ("Build the habit of buying", "養成購買習慣", "养成购买习惯"),
            (
                "Discounts; retargeting; a “we miss you” message",
                "折扣；再行銷廣告；「我們想念您」訊息",
                "折扣；再营销广告；“我们想念您”消息",
            ),
        ),
        "cannot_lose": (
            ("Cannot lose", "不可流失", "不可流失"),
            ("Win back the most valuable", "贏回最有價值的顧客", "赢回最有价值的顾客"),
            (
                "A “we miss you” message; personal recommendations; retargeting in many channels; a personal discount",
                "「我們想念您」訊息；個人化推薦；多管道再行銷；個人專屬折扣",
                "“我们想念您”消息；个性化推荐；多渠道再营销；个人专属折扣",
            ),
        ),
        "at_risk": (
            ("At risk", "有風險", "有风险"),
            ("Stop the drift away", "阻止逐漸流失", "阻止逐渐流失"),
            (
                "Re-engagement messages; retargeting; a rich offer to buy again",
                "再互動訊息；再行銷廣告；高額回購優惠",
                "再互动消息；再营销广告；高额复购优惠",
            ),
        ),
        "about_to_lose": (
            ("About to lose", "即將流失", "即将流失"),
            ("Last call, at little cost", "以低成本做最後喚回", "以低成本做最后唤回"),
            (
                "A rich discount; a reminder of what the first product was good for; new products",
                "高額折扣；提醒首購商品的好處；新品",
                "高额折扣；提醒首购商品的好处；新品",
            ),
        ),
    },
)

TAXONOMIES: Mapping[str, tuple[Stage, ...]] = MappingProxyType({"line": LINE, "phase": PHASE, "segment": SEGMENT})
"""Each taxonomy's stages in the order of a life cycle."""
