"""Known findings: what is said of a lesion that has not changed is no absence, as it would be of an organ.

"肝に著変なし。" is NEGATIVE; "肝嚢胞に著変なし。" is POSITIVE, or CONTINUATION of what was just described
(docs/labels.md). A model that was trained on few of these takes the second for the first.
"""

import re
from collections.abc import Iterable
from typing import Any

from .labels import Label

TINY = 1e-9
# What a lesion is called, at the end of its name.
LESION = r"""
    嚢胞 囊胞 のう胞 シスト cyst cysts 結石 胆石 腎石 石灰化 結節 腫瘤 瘤 血腫 筋腫 血管腫 腺腫 髄膜腫 脂肪腫 骨腫
    神経鞘腫 腫瘍 ヘルニア 憩室 ポリープ 骨折 梗塞 狭窄 拡張 心拡大 肥厚 腫大 萎縮 変性 変形 変位 性変化 気腫 浸潤影
    すりガラス影 網状影 粒状影 索状影 結節影 腫瘤影 無気肺 胸水 腹水 心嚢液 水腎症 脂肪肝 癒着 瘢痕 転移 病変 側弯
    すべり 症 炎 癌 病巣 転移巣 梗塞巣 出血巣 nodule nodules mass aneurysm
"""
NAMES = "|".join(re.escape(word) for word in sorted(LESION.split(), key=len, reverse=True))
ABSENT = r"(?:なし|無し|ない|ありません|認めません|認めない|認めず|みられません|見られません|\([-－]\)|（[-－]）)"
UNCHANGED = (
    rf"(?:(?:著変|変化)(?:は|を|も)?\s*{ABSENT}"
    r"|(?:不変|前回同様|変わらない|変わらず|変わりなし|変わりない|変わりません|変わりありません|n\.c\.)(?:です|である)?)"
)
KNOWN = re.compile(
    rf"[^。、，,：:\n]*?(?:{NAMES})(?:の?(?:サイズ|大きさ|径))?\s*(?:に|は|も|には|にも)?\s*"
    rf"(?:(?:前回と|前回から|明らかな|有意な|大きな)\s*)*{UNCHANGED}[。．.\s]*",
    re.IGNORECASE,
)
LONGEST = 100  # characters


def is_known_finding(sentence: str) -> bool:
    """RETURNS (bool): Whether a sentence says of a lesion that it has not changed, and nothing else."""
    return len(sentence) <= LONGEST and KNOWN.fullmatch(sentence.strip()) is not None


def as_no_absence(scores: Any, sentences: Iterable[str]) -> Any:
    """Let no known finding be NEGATIVE: the other labels share its probability, in proportion to theirs.

    scores (ndarray): Probabilities of the sentences, (n, 4).
    sentences (Iterable[str]): Their texts.
    RETURNS (ndarray): Probabilities, (n, 4); the same array.
    """
    rows = [row for row, sentence in enumerate(sentences) if is_known_finding(sentence)]
    if rows:
        others = scores[rows] + TINY
        others[:, Label.NEGATIVE] = 0.0
        scores[rows] = others / others.sum(axis=1, keepdims=True)
    return scores
