"""Headings of a report: "【胸部】", "■腹部", "Liver:", "1. 胸部", alone on their line or before what they are about."""

import re
from typing import NamedTuple

# What may stand before a heading: bullets and numbers.
BULLET = r"\s*(?:[・･•○●◯■□◆◇▪▼*＊\-‐–—]\s*|(?:\d{1,2}|[①-⑳])\s*[.．)）、]?\s*|[(（]\d{1,2}[)）]\s*)?"
BRACKETED = re.compile(
    rf"{BULLET}(?:【([^】\n]{{1,24}})】|[<＜〈《≪]{{1,2}}([^<＜〈《≪>＞〉》≫\n]{{1,24}})[>＞〉》≫]{{1,2}}|［([^］#＃\n]{{1,24}})］)\s*[:：]?"
)
SYMBOL = re.compile(r"\s*[■□◆◇▪▼●]\s*([^。．、，,:：\n]{1,12})[:：]?\s*")
# Before what they are about, these hold more often a verdict: "[無] 胸水".
ALONE = re.compile(
    rf"{BULLET}(?:\[([^\]#＃\d\n]{{1,24}})\]|〔([^〕#＃\d\n]{{1,24}})〕|[#＃]+\s*([^\d\s#＃。．、，,:：][^#＃。．、，,:：\n]{{0,11}}))"
    rf"\s*[:：]?\s*"
)
COLON = re.compile(
    rf"{BULLET}([^\s。．、，,:：()（）\[\]［］【】][^。．、，:：()（）\[\]［］【】\n]{{0,19}})[:：](?!\s*\d)"
)
# A heading without any sign is one by what it is made of: at least one of these places in the body, examinations and
# parts of a report ...
PLACES = """
    頭 脳 頸 頚 胸 腹 骨 肺 心 肝 胆 膵 脾 腎 尿 胎 胃 腸 腰 椎 髄 脊 肩 肘 膝 踵 趾 肢 腕 腿 顔 顎 頬 舌 歯 咽 喉
    耳 鼻 眼 涙 筋 腱 膜 乳 手 足 股 口腔 口蓋 口唇 縦隔 膀胱 前立腺 精巣 精嚢 卵巣 子宮 付属器 羊水 食道 肛門 盲腸
    虫垂 十二指腸 体幹 体表 大腿 鼠径 腋窩 靱帯 靭帯 半月板 軟部 軟骨 関節 血管 動脈 静脈 門脈 脈管 リンパ節 神経
    交叉 斜台 腺 甲状腺 副腎 陰嚢 会陰 皮下 鎖骨 気管 気道 テント 白質 灰白質 基底核 皮質 円蓋 後頭蓋窩 下垂体 鞍部
    弁 左室 右室 左房 右房 臓器 消化管 実質 辺縁域 移行域 シャント グラフト ステント チューブ ライン カテーテル
    デバイス ドレーン 留置物 インプラント 移植 術野 照射野 所見 補足 付記 備考 病変 その他 そのほか ほか 他 周囲
    対側 内側 外側 左 右 左側 右側 両側 原発 遠隔 節外 全身 全体 中枢 末梢 CT CTA MR MRI MRA MRCP MRS US PET XP Xp
    X線 MG MMG エコー 超音波 マンモグラフィ 写真 早期相 後期相 動脈相 平衡相 abdomen abdominal adrenal adrenals
    aorta axilla bladder bone bones bowel brain breast breasts chamber chambers chest colon coronary device devices
    duodenum ear esophagus extremities eye eyes face findings gallbladder head heart hilar hilum implant joint
    joints kidney kidneys limbs lines liver lung lungs lymph mediastinum musculoskeletal neck nodes nose orbit
    orbits others ovaries ovary pancreas parenchyma pelvic pelvis peritoneum pleura prostate skin skull spinal spine
    spleen stomach thorax thyroid tissue tissues tubes uterus valve valves vascular vessels wall
"""
# ... with these beside them. Any other line may be a name, or a reason to look ("乳癌").
BESIDE = """
    主 副 正 単純 造影 低線量 像 面 立位 臥位 両 上 中 下 前 後 内 外 側 周 囲 近 遠 隣 接 頂 底 門 尖 葉 角 橋 全
    身 深 浅 表 大 小 部 野 系 腔 窩 盂 道 路 走行 経路 流 出 幹 枝 分 床 端 列 血 液 節 管 域 盤 器 臓 蓋 格 郭 柱
    嚢 巣 網 伏在 恥 仙 尾 壁 隔 残 自己 物 類 の 房 室 冠 直 状 体 唾 硬 視 梁 間 板 結 空 回 陰性 陽性 支 指 移行
    傍 組織 方 脚 循環 付属 導 三角 線維 子 周辺 四 横 所属 と ① ② ③ ④ ⑤ ⑥ ⑦ ⑧ ⑨ great left lower right
    soft upper and &
"""


def _any_of(words: str) -> str:
    """RETURNS (str): A pattern, the longest word first; Latin ones as whole words."""
    ordered = sorted(words.split(), key=len, reverse=True)
    return "|".join(rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else word for word in map(re.escape, ordered))


PLACE = re.compile(_any_of(PLACES), re.IGNORECASE)
PLACE_OR_BESIDE = re.compile(_any_of(PLACES + BESIDE), re.IGNORECASE)
BARE = re.compile(
    r"(?:[◎▶►▷☆★・･•○●◯*＊\-‐–—]\s*|(?:\d{1,2}|[A-Za-zＡ-Ｚⅰ-ⅻⅠ-Ⅻ]|[IVX]{2,4}|[ア-オ])\s*[.．)）、]\s*|[①-⑳]\s*|[(（]\w{1,2}[)）]\s*)?"
    r"([^()（）]{1,30}?)\s*(?:[(（][^()（）]{1,30}[)）])?\s*"
)
# "== 胸部 ==", "- 胸部 -", "=====胸部".
FRAME = r"=＝\-－‐–—─━―*＊★☆|｜~〜～_＿◇◆#＃/／"
FRAMED = re.compile(rf"\s*([{FRAME}]+)\s*([^{FRAME}\s][^{FRAME}\n]*?)\s*([{FRAME}]*)\s*")
# "（胸部）", "「胸部」".
ENCLOSED = re.compile(r"\s*[(（「『]([^()（）「」『』\n]*)[)）」』]\s*")
LONGEST = 100  # characters of such a line
BETWEEN = " \u3000・･/／、，,〜～~"
# "【#1】", "＜図1＞", "Se3 Im:": what points to an image is no heading.
FIGURE = re.compile(r"[#＃]|(?:図|画像|fig|im|se)\w{0,6}\s*\d|.*\d\s*im(?:age|g)?$", re.IGNORECASE)


class Heading(NamedTuple):
    """A heading.

    name (str): Without its brackets, bullet and colon.
    alone (bool): Whether nothing follows it in its sentence.
    until_next (bool): Whether it holds until the next heading: one with brackets or a symbol, or alone on its line. One
        with a colon before its content holds until the end of the line.
    end (int): Where its brackets and colon end in the sentence.
    """

    name: str
    alone: bool
    until_next: bool
    end: int


def find_bare_heading(line: str) -> Heading | None:
    """RETURNS (Optional[Heading]): A line as a heading without any sign. Its label must tell that it is no finding."""
    enclosed = ENCLOSED.fullmatch(line)
    match = BARE.fullmatch(enclosed[1] if enclosed else line) if len(line) <= LONGEST else None
    if match is None or not PLACE.search(match[1]) or PLACE_OR_BESIDE.sub("", match[1]).strip(BETWEEN):
        return None
    return Heading(match[1].strip(), alone=True, until_next=True, end=len(line))


def find_framed_heading(line: str) -> Heading | None:
    """RETURNS (Optional[Heading]): A place in the body, or the like, between signs or behind three of them."""
    match = FRAMED.fullmatch(line) if len(line) <= LONGEST else None
    if match is None or ({*match[1]} != {*match[3]} if match[3] else len(match[1]) < 3):
        return None
    heading = find_bare_heading(match[2])
    return heading and heading._replace(end=match.end())


def in_brackets(sentence: str) -> str:
    """RETURNS (str): A heading in a frame as most reports write headings; any other sentence as it is."""
    heading = find_framed_heading(sentence)
    return f"【{heading.name}】" if heading else sentence


def _name_in(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group).strip()


def find_heading(sentence: str) -> Heading | None:
    """RETURNS (Optional[Heading]): The heading that a sentence is or begins with."""
    if framed := find_framed_heading(sentence):
        return framed
    if match := BRACKETED.match(sentence) or ALONE.fullmatch(sentence):
        name, until_next = _name_in(match), True
        while (further := BRACKETED.match(sentence, match.end())) and not FIGURE.match(_name_in(further)):
            match, name = further, _name_in(further)  # "【CT】【胸部】"
    elif match := SYMBOL.fullmatch(sentence):
        name, until_next = match[1], True
    elif match := COLON.match(sentence):
        name, until_next = match[1], False
    else:
        return None
    if FIGURE.match(name.strip()):
        return None
    alone = not sentence[match.end() :].strip()
    return Heading(name.strip(), alone, until_next or alone, match.end())
