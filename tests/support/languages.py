"""Small corpora in four languages: sentences put together from parts, all different."""

from __future__ import annotations

from itertools import product

__all__ = ["CORPORA", "sentences"]

CORPORA: dict[str, tuple[tuple[str, ...], ...]] = {
    "chinese": (
        ("今天", "昨天", "明天", "星期天", "去年冬天"),
        ("我们", "他们", "孩子们", "老师", "朋友"),
        ("在公园里", "在学校", "在图书馆", "在火车站", "在海边"),
        ("看书。", "唱歌！", "学习中文。", "喝茶，聊天。", "等朋友。", "打篮球！"),
    ),
    "japanese": (
        ("今日は", "昨日は", "明日は", "日曜日は", "去年の冬は"),
        ("友達と", "先生と", "家族と", "犬と", "「山田さん」と"),
        ("公園で", "学校で", "図書館で", "駅で", "海で"),
        ("本を読みました。", "歌を歌いました！", "日本語を勉強しました。", "お茶を飲みました。", "待っていました。"),
    ),
    "german": (
        ("Heute ", "Gestern ", "Morgen ", "Am Sonntag ", "Im letzten Winter "),
        ("haben wir ", "haben die Kinder ", "hat der Lehrer ", "hat meine Großmutter "),
        ("im Park ", "in der Schule ", "in der Bücherei ", "am Straßenbahnhof ", "an der Küste "),
        ("gelesen.", "„Grüß Gott“ gesagt.", "gesungen!", "Fußball gespielt.", "auf Freunde gewartet."),
    ),
    "korean": (
        ("오늘 ", "어제 ", "일요일에 ", "지난 겨울에 "),
        ("우리는 ", "아이들은 ", "선생님은 ", "친구는 ", "할머니는 "),
        ("공원에서 ", "학교에서 ", "도서관에서 ", "기차역에서 ", "바닷가에서 "),
        ("책을 읽었다.", "노래를 불렀다!", "한국어를 공부했다.", "차를 마셨다.", "친구를 기다렸다."),
    ),
}


def sentences(language: str) -> list[str]:
    """Return 500 to 750 sentences in ``language``, one of CORPORA."""
    return ["".join(parts) for parts in product(*CORPORA[language])]
