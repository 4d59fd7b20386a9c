"""What is never NEGATIVE, by rule: lesions that have not changed, what is suspected, and what is said to be there.

"肝に著変なし。" is NEGATIVE; "肝嚢胞に著変なし。" is POSITIVE, or CONTINUATION of what was just described, and so are
"微小胆石は否定できない。", "骨折を思わせる所見。", "膵に異常あり。" and "憩室あるも、憩室炎なし。" (docs/labels.md). A
model that was trained on few of these takes them for absences, by their words.
"""

import re
from collections.abc import Iterable
from typing import Any

from ..labels import Label
from ..lesions import NAMES

LESION_AT_END = rf"[^。、，,\n]*?(?:{NAMES})"  # of what begins a sentence
ABSENT = (
    r"(?:なし|無し|ない|ありません|認めません|認めない|認めず|(?:みら|見ら)れ(?:ません|ない|ず)|指摘でき(?:ません|ない|ず)"
    r"|(?:明らか|はっきり|目立)(?:で|では|し|た)(?:ない|ありません|ません)|\([-－]\)|（[-－]）)"
)
UNCHANGED = (
    rf"(?:(?:著変|(?<!炎症)(?<!変性)(?<!虚血)(?<!壊死)(?<!出血)変化)(?:は|を|も)?\s*{ABSENT}"
    r"|(?:不変|前回同様|変わらない|変わらず|変わりなし|変わりない|変わりません|変わりありません|n\.?c\.?|→"
    r"|no (?:interval |significant )?change)(?:です|である)?)"
)
SIZE = "(?:サイズ|大きさ|径)"
KNOWN = (
    rf"{LESION_AT_END}(?:の?{SIZE})?\s*(?:には|にも|[には も、，,:：(（])?\s*(?:{SIZE}[には]?)?"
    rf"(?:(?:前回と|前回から|明らかな|有意な|大きな)\s*)*{UNCHANGED}[)）]?"
    rf"|{LESION_AT_END}[には、，,:：\s]\s*(?:明らかな|有意な)?(?:増大|増悪|増加|拡大|進行)(?:傾向)?[はをも]?\s*{ABSENT}"
)
# "胸水は減少", "水腎症は消退傾向です"
COURSE = (
    rf"{LESION_AT_END}[はがのも]?\s*(?:消退傾向|(?:軽快|改善|減少|縮小|増大|増悪|増加)(?:傾向)?|残存|遺残|持続|新規|出現|新出"
    r"|軽微|わずか|少量|多発|散在)(?:です|である|あり|(?:し(?:てい)?(?:る|ます|た))|す)?"
)
CANNOT = r"(?:(?:でき|出来|し?(?:得|え|切れ|きれ))(?:ない|ません|ず|ぬ)|し?(?:がた|難)い|(?:は|が)?困難)"
SUSPICION = (
    r"疑(?:い|う|います|われます|われる)(?:所見)?(?:あり)?|思わせ(?:る|ます)(?:所見)?|様の?所見|s/o|r/o|susp\."
    r"|(?:と|に)(?:思わ|見|みら)れる(?:影|陰影|所見)|っぽい|かもしれ(?:ない|ません)|な(?:し|い)とは[言い]え(?:ない|ません)"
    r"|(?:cannot|can't|can not) be (?:excluded|ruled out)"
    r"|可能性(?:あり|があり(?:ます)?|がある|を考え(?:ます|る)|が考えられ(?:ます|る)|が高い)?"
)
SUSPECTED = (
    rf"[^。\n]+?(?:(?:否定|除外)(?:は|も|が)?{CANNOT}|{SUSPICION})"
    r"(?:です|である|と(?:思|考)[^。、，,\n]{1,9})?"
)
# "胸水(±)", "脳梗塞(?)"
UNSURE = rf"[^。\n]*(?:[(（]?(?:±|\+/[-−])|(?:{NAMES})\s*[:：]?\s*[(（]?[?？])[)）]?"
SEEN = "(?:みら|見ら|認めら|指摘さ|確認さ|観察さ)れ"
PRESENT = (
    rf"(?:(?:あり|認め|{SEEN})(?:ます|ました)|あり|有り|ある|(?:認め|{SEEN})[るた]|指摘(?:する|します)|[(（]?[+＋][)）]?"
    r"|確認でき(?:る|ます|た|ました)|みとめ(?:る|ます)|陽性[)）]|yes|positive|present|✓)"
)
# "も": "もみられる" is said of what is there, "もみられない" of what is not, which is more frequent.
AFFIRMED = (
    rf"[^。\n]*(?:陽性|(?:{NAMES})(?:です|である)"
    rf"|(?:{NAMES}|も|異常[^\sなをがはもので(（、，,。]{{0,4}})(?:が|を|も|は|\s*[:：(（=＝])?\s*{PRESENT}[)）]?)"
)
# What is there, and then what is not: "憩室あるも、憩室炎なし。", "脂肪肝の他、特記すべき異常なし。"
NORMAL = r"(?:n\.?p\.?|wnl|正常|異常なし)"  # "血栓 疑い、心嚢水 n.p."
# "腎結石 3mm", "腹水少量", "嚢胞(両)": a lesion with details.
SIZED = r"(?:約|径|最大|長径|短径|φ)?\s*\d[\d.×x*]*\s*(?:mm|cm|ｍｍ|ｃｍ|㎜)(?:大|程度)?"
DEGREE = "(?:少量|微量|軽度|中等度|高度|散在|多発|数個|陳旧性|[+＋↑])"
SIDE = r"[(（](?:右|左|両|多発|散在|[SL]\d)[^)）\n]{0,20}[)）]"
DETAILS = rf"{SIZED}|\d[\d.×x*]*|{DEGREE}|[(（](?!\s*[-－−±?？無な])[^)）\n]{{1,20}}[)）]"
BESIDE = r"[\s、，,／/・;；]"
THERE_BUT = (
    rf"(?:[^。、，,\n]*[^なはずにで\s](?:あ(?:る|ります)|(?:認め|{SEEN}|散見され)(?:る|ます))[がも]"
    rf"|[^。\n]*(?:{NAMES})\s*(?:{DETAILS}){BESIDE}|[^。、，,\n]*?{SIZED}の?\s?(?:{NAMES}){BESIDE}"
    rf"|{LESION_AT_END}(?:[がをも]?\s*(?:あり|散見|[(（][+＋][)）]|疑い|s/o|認め|{SEEN})[、，,／/]"
    rf"|(?:を認め(?:る|ます)|がある|があります)?(?:の他|のほか|の外|以外|を除き|を除いて|のみ)))[^。\n]*(?:{ABSENT}|{NORMAL})"
)
# "左肺に腫瘤", "変性のみ", "新規肺結節", "腎結石 3mm"; not "□ 新規肺結節"
NAMED = (
    rf"[^。、，,\n□\[\]]*(?:に(?:{NAMES})|(?:{NAMES})のみ|新(?:規|出)の?[^。、，,\n]*(?:{NAMES}))"
    rf"|[^。\n]*(?:{NAMES})\s*(?:{SIZED}|{DEGREE}|{SIDE})"
)
NONE, SOME = r"(?:なし|無し?|ない|[(（]?[-－−][)）]?)", r"(?:あり|有り?|[(（]?[+＋][)）]?)"
APPEARED = (
    rf"[^。\n]*{NONE}\s*(?:→|⇒|から)\s*{SOME}(?:へ|に)?"
    rf"|[^。\n]*前回[^。、，,\n]*{NONE}[、，,\s]\s*今回は?[^。、，,\n]*{SOME}"
)


def _any_of(*ways: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(ways)})[。．.\s]*", re.IGNORECASE)


IS_STATED = _any_of(KNOWN, COURSE, AFFIRMED, THERE_BUT, NAMED, APPEARED)
IS_SUSPECTED = _any_of(SUSPECTED, UNSURE)
LONGEST = 100  # characters
LEAST = 0.01  # with a smaller probability, nothing is called NEGATIVE anyway


def is_stated(sentence: str) -> bool:
    """RETURNS (bool): Whether a sentence ends by saying that something is there, or has not changed."""
    return len(sentence) <= LONGEST and IS_STATED.fullmatch(sentence.strip()) is not None


def is_suspected(sentence: str) -> bool:
    """RETURNS (bool): Whether a sentence ends by saying that something may be there."""
    return len(sentence) <= LONGEST and IS_SUSPECTED.fullmatch(sentence.strip()) is not None


def without_negative(scores: Any, sentences: Iterable[str]) -> Any:
    """Let no such sentence be NEGATIVE. It is POSITIVE, or, where something is suspected, CONTINUATION if likelier.

    scores (ndarray): Probabilities of the sentences, (n, 4).
    sentences (Iterable[str]): Their texts.
    RETURNS (ndarray): Probabilities, (n, 4); the same array. The label has got the probability of NEGATIVE.
    """
    may_be = (scores[:, Label.NEGATIVE] >= LEAST).tolist()
    rows: dict[Label, list[int]] = {Label.POSITIVE: [], Label.CONTINUATION: []}
    suspected = []
    for row, sentence in enumerate(sentences):
        if may_be[row] and is_stated(sentence):
            rows[Label.POSITIVE].append(row)
        elif may_be[row] and is_suspected(sentence):
            suspected.append(row)
    if suspected:
        details = (scores[suspected, Label.CONTINUATION] > scores[suspected, Label.POSITIVE]).tolist()
        for row, is_detail in zip(suspected, details, strict=True):
            rows[Label.CONTINUATION if is_detail else Label.POSITIVE].append(row)
    for label, chosen in rows.items():
        if chosen:
            scores[chosen, label] += scores[chosen, Label.NEGATIVE]
            scores[chosen, Label.NEGATIVE] = 0.0
    return scores
