"""Reports as they come out of real systems, with everything that breaks offsets."""

import unicodedata

from spacy_radsent.boundaries import sentence_offsets
from spacy_radsent.corpus.records import Record, Sentence
from spacy_radsent.labels import LABELS

NASTY_TEXTS = {
    "empty": "",
    "blank": " \n\u3000\t\r\n",
    "repeated_sentences": "胆嚢：著変なし。\n膵：著変なし。\n脾：著変なし。\n膵：著変なし。\n著変なし。著変なし。",
    "empty_lines": "\n\n【胸部】\n\n\n  右肺上葉S1に12mm大のGGNあり。\n \n\u3000\n\u3000前回と著変なし。\n\n",
    "crlf": "CT（単純）\r\n両側胸水(+)、右>左。\r\n\r\n心嚢水(-)\r\n",
    "tabs": "Liver:\tS8に径2.3cm大のSOL。\t辺縁は\tring enhancement(+).\nGB:\tn.p.\n\tSpleen: \t n.p.",
    "half_and_full_width": "Ｔ１ＷＩで低信号，Ｔ２ＷＩで高信号．ﾘﾝﾊﾟ節腫大ﾅｼ｡ｶﾞﾝの疑い｡３．５ｃｍ→３ｃｍ 縮小．",
    "emoji_zwj": "👨‍⚕️より電話あり🏥。右中葉に結節🫁[#1]。👩‍👩‍👧‍👦に家族歴。☢️被ばく線量：CTDI 12.3mGy",
    "nfd_kana": unicodedata.normalize("NFD", "胆嚢ポリープ、大腸がん術後。\nバリウム造影でびらんなし。"),
    "line_separators": "骨：著変なし。\u2028左第5肋骨に陳旧性骨折。\u2029脂肪肝\x85脾腫(-)。\x0b腎嚢胞\x0cあり。",
    "control_characters": "肝\x00S6に嚢胞。\u202e左右\u202c逆位なし。\ufeff結節\u200bなし。\x1b[31m赤",
    "json_and_code": '{"id": "x"}, [#1-2]\\n「"腫瘤"」。<|im_end|>C:\\new\\\'; DROP TABLE--\n</script>&amp;',
    "no_full_stop": "頭部MRI\n明らかな急性期梗塞なし\nMRA: 右MCA M1に軽度狭窄",
    "one_long_sentence": "腫瘤" * 10_000,
    "100_000_characters": ("両肺野に小結節が散在する。右S6のものは8.5mm大で、前回(2024.3.1)より増大。\n" * 3000)[
        :100_000
    ],
}


# What property tests put together.
PIECES = [
    "右肺S6に結節。",
    "著変なし",
    "3.5cm",
    "．",
    ".",
    "。",
    "\n",
    "\r\n",
    "\u3000",
    "\u2028",
    "\x85",
    "[#1]",
    "か\u3099",
    "👨‍⚕️",
]


def labelled_record(id: str, text: str) -> Record:
    """RETURNS (Record): The text, split by rule, labels taken in turns."""
    offsets = sentence_offsets(text)
    sentences = [Sentence(start=start, end=end, label=LABELS[i % 4]) for i, (start, end) in enumerate(offsets)]
    return Record(id=id, text=text, sentences=sentences, meta={"病院": "K", "notes": ["縮小維持", None, 1.5]})
