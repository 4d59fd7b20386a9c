"""What is never NEGATIVE, by rule: lesions that have not changed, what is suspected, and what is said to be there.

"肝に著変なし。" is NEGATIVE; "肝嚢胞に著変なし。" is POSITIVE, or CONTINUATION of what was just described, and so are
"微小胆石は否定できない。", "骨折を思わせる所見。" and "膵に異常あり。" (docs/labels.md). A model that was trained
on few of these takes them for absences, by their words.
"""

import re
from collections.abc import Iterable
from typing import Any

from ..labels import Label

# What a lesion is called, at the end of its name.
LESION = r"""
    嚢胞 囊胞 のう胞 シスト cyst cysts 結石 胆石 腎石 石灰化 結節 腫瘤 瘤 血腫 筋腫 血管腫 腺腫 髄膜腫 脂肪腫 骨腫
    神経鞘腫 腫瘍 ヘルニア 憩室 ポリープ 骨折 梗塞 狭窄 拡張 心拡大 肥厚 腫大 萎縮 変性 変形 変位 性変化 気腫 浸潤影
    すりガラス影 網状影 粒状影 索状影 結節影 腫瘤影 無気肺 脾腫 沈着 胸水 腹水 心嚢液 心嚢水 水腎症 脂肪肝 癒着 瘢痕
    転移 病変 側弯 すべり 症 炎 癌 病巣 転移巣 梗塞巣 出血巣 気胸 出血 浮腫 貯留 膿瘍 血栓 塞栓 脱臼 断裂 損傷 浸潤
    播種 再発 高信号 低信号 高吸収 低吸収 吸収域 濃度上昇 欠損 空洞 壊死 虚血 穿孔 閉塞 剥離 解離 逸脱 膨隆 異物
    nodule nodules mass aneurysm
"""
NAMES = "|".join(re.escape(word) for word in sorted(LESION.split(), key=len, reverse=True))
ABSENT = r"(?:なし|無し|ない|ありません|認めません|認めない|認めず|みられません|見られません|\([-－]\)|（[-－]）)"
UNCHANGED = (
    rf"(?:(?:著変|(?<!炎症)(?<!変性)(?<!虚血)(?<!壊死)(?<!出血)変化)(?:は|を|も)?\s*{ABSENT}"
    r"|(?:不変|前回同様|変わらない|変わらず|変わりなし|変わりない|変わりません|変わりありません|n\.c\.)(?:です|である)?)"
)
KNOWN = (
    rf"[^。、，,\n]*?(?:{NAMES})(?:の?(?:サイズ|大きさ|径))?\s*(?:に|は|も|には|にも)?\s*"
    rf"(?:(?:前回と|前回から|明らかな|有意な|大きな)\s*)*{UNCHANGED}"
)
CANNOT = r"(?:(?:でき|出来|し?(?:得|え|切れ|きれ))(?:ない|ません|ず|ぬ)|し?(?:がた|難)い|(?:は|が)?困難)"
SUSPICION = (
    r"疑(?:い|う|います|われます|われる)(?:所見)?(?:あり)?|思わせ(?:る|ます)(?:所見)?|様の?所見|s/o|susp\."
    r"|可能性(?:あり|があり(?:ます)?|がある|を考え(?:ます|る)|が考えられ(?:ます|る)|が高い)?"
)
SUSPECTED = (
    rf"[^。\n]+?(?:(?:否定|除外)(?:は|も|が)?{CANNOT}|{SUSPICION})"
    r"(?:です|である|と(?:思|考)[^。、，,\n]{1,9})?"
)
SEEN = "(?:みら|見ら|認めら|指摘さ|確認さ|観察さ)れ"
PRESENT = (
    rf"(?:(?:あり|認め|{SEEN})(?:ます|ました)|あり|有り|ある|(?:認め|{SEEN})[るた]|指摘(?:する|します)|[(（]?[+＋][)）]?"
    r"|確認でき(?:る|ます|た|ました)|present)"
)
# "も": "もみられる" is said of what is there, "もみられない" of what is not, which is more frequent.
AFFIRMED = (
    rf"[^。\n]*(?:(?:{NAMES})(?:です|である)"
    rf"|(?:{NAMES}|も|異常[^\sなをがはもので(（、，,。]{{0,4}})(?:が|を|も)?\s*{PRESENT})"
)
NAMED = rf"[^。、，,\n]*(?:に(?:{NAMES})|(?:{NAMES})(?:のみ|\s?[?？]))"
NONE, SOME = r"(?:なし|無し?|ない|[(（]?[-－−][)）]?)", r"(?:あり|有り?|[(（]?[+＋][)）]?)"
APPEARED = (
    rf"[^。\n]*{NONE}\s*(?:→|⇒|から)\s*{SOME}(?:へ|に)?"
    rf"|[^。\n]*前回[^。、，,\n]*{NONE}[、，,\s]\s*今回は?[^。、，,\n]*{SOME}"
)
NEVER_NEGATIVE = re.compile(rf"(?:{KNOWN}|{SUSPECTED}|{AFFIRMED}|{NAMED}|{APPEARED})[。．.\s]*", re.IGNORECASE)
LONGEST = 100  # characters
LEAST = 0.01  # with a smaller probability, nothing is called NEGATIVE anyway


def is_never_negative(sentence: str) -> bool:
    """RETURNS (bool): Whether a sentence ends by saying one of these."""
    return len(sentence) <= LONGEST and NEVER_NEGATIVE.fullmatch(sentence.strip()) is not None


def without_negative(scores: Any, sentences: Iterable[str]) -> Any:
    """Let no such sentence be NEGATIVE: what stands alone, but is no absence, is POSITIVE, and gets its probability.

    scores (ndarray): Probabilities of the sentences, (n, 4).
    sentences (Iterable[str]): Their texts.
    RETURNS (ndarray): Probabilities, (n, 4); the same array.
    """
    likely = (scores[:, Label.NEGATIVE] >= LEAST).tolist()
    rows = [row for row, sentence in enumerate(sentences) if likely[row] and is_never_negative(sentence)]
    if rows:
        scores[rows, Label.POSITIVE] += scores[rows, Label.NEGATIVE]
        scores[rows, Label.NEGATIVE] = 0.0
    return scores
