"""What lesions are called, for the rules that go by words."""

import re

# At the end of a name: "肝嚢胞", "脂肪肝", "変形性頸椎症".
LESION = r"""
    嚢胞 囊胞 のう胞 シスト cyst cysts 結石 胆石 腎石 石灰化 結節 腫瘤 瘤 血腫 筋腫 血管腫 腺腫 髄膜腫 脂肪腫 骨腫
    神経鞘腫 腫瘍 ヘルニア 憩室 ポリープ 骨折 梗塞 狭窄 拡張 心拡大 肥厚 腫大 萎縮 変性 変形 変位 性変化 気腫 浸潤影
    すりガラス影 網状影 粒状影 索状影 結節影 腫瘤影 無気肺 脾腫 沈着 胸水 腹水 心嚢液 心嚢水 水腎症 脂肪肝 癒着 瘢痕
    転移 病変 側弯 すべり 症 炎 癌 病巣 転移巣 梗塞巣 出血巣 気胸 出血 浮腫 貯留 膿瘍 血栓 塞栓 脱臼 断裂 損傷 浸潤
    播種 再発 高信号 低信号 高吸収 低吸収 吸収域 濃度上昇 欠損 空洞 壊死 虚血 穿孔 閉塞 剥離 解離 逸脱 膨隆 異物
    nodule nodules mass aneurysm
"""
NAMES = "|".join(re.escape(word) for word in sorted(LESION.split(), key=len, reverse=True))
