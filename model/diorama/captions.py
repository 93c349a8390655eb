"""Phrases in English and Chinese with what they mean to the diorama: the text head learns from these.

A phrase is made of parts (a place, a time, a weather, a motion …), each with several ways to say it. Some wordings
are held out of training by their hash, so that the head can be judged on phrases it has never seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model.conditions import CHARACTERS, ENVIRONMENT, FIGURES, STYLES
from model.diorama.places import PLACES
from model.diorama.wordings import (
    BACK_WORDS,
    CHARACTER_WORDS,
    ENTERS,
    FIGURE_WORDS,
    LEAVES,
    LIFT_WORDS,
    PLACE_WORDS,
    STYLE_WORDS,
    WALKS,
)

NO_PLACE = len(PLACES)
NO_STYLE, NO_CHARACTER = len(STYLES), len(CHARACTERS)
OPERATIONS = ("none", "set", "more", "less")
MOTIONS = ("none", "still", "forward", "back", "left", "right", "turn_left", "turn_right", "look_up", "look_down")
LIFTS = ("none", "rise", "sink")  # of the camera, above a walker's eyes
CUES = ("none", "enter", "leave")  # of a figure
VIEWS = ("none", "first", "third")


@dataclass(frozen=True)
class Meaning:
    """What a phrase asks for. `environment` maps a key to ("set", value), ("more", 0) or ("less", 0).

    figures: cues by name. back: to what was before the last directive.
    """

    place: int = NO_PLACE
    environment: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    motion: str = "none"
    slow: bool = False
    view: str = "none"
    flash: bool = False
    style: int = NO_STYLE
    character: int = NO_CHARACTER
    figures: Mapping[str, str] = field(default_factory=dict)
    lift: str = "none"
    back: bool = False

    def __or__(self, other: Meaning) -> Meaning:
        return Meaning(
            other.place if other.place != NO_PLACE else self.place,
            {**self.environment, **other.environment},
            other.motion if other.motion != "none" else self.motion,
            self.slow or other.slow,
            other.view if other.view != "none" else self.view,
            self.flash or other.flash,
            other.style if other.style != NO_STYLE else self.style,
            other.character if other.character != NO_CHARACTER else self.character,
            {**self.figures, **other.figures},
            other.lift if other.lift != "none" else self.lift,
            self.back or other.back,
        )


def _set(**values: float) -> Meaning:
    return Meaning(environment={key: ("set", value) for key, value in values.items()})


_TIMES: list[tuple[Meaning, list[str], list[str]]] = [
    (_set(sun_rad=0.04), ["at dawn", "at sunrise", "at daybreak", "in the early morning light", "as the sun rises"],
     ["黎明", "日出时", "拂晓", "清晨", "破晓时分"]),
    (_set(sun_rad=0.4), ["in the morning", "on a bright morning", "mid-morning"], ["早上", "上午", "早晨"]),
    (_set(sun_rad=1.15), ["at noon", "at midday", "in the middle of the day", "under a high sun", "by day", "in daylight"],
     ["正午", "中午", "白天", "烈日当空"]),
    (_set(sun_rad=0.75), ["in the afternoon", "on an afternoon"], ["下午", "午后"]),
    (_set(sun_rad=0.05), ["at sunset", "at dusk", "in the evening", "at golden hour", "as the sun goes down", "at nightfall",
     "in the twilight"], ["日落时", "黄昏", "傍晚", "夕阳下", "暮色中"]),
    (_set(sun_rad=-0.55), ["at night", "at midnight", "in the dark of night", "under the stars", "by moonlight",
     "on a starry night", "in darkness"], ["夜晚", "深夜", "午夜", "星空下", "月光下", "夜里"]),
]  # fmt: skip

_RAIN, _SNOW = {"cloud": 0.85, "snow": 0.0}, {"cloud": 0.8, "rain": 0.0}
_WEATHERS: list[tuple[Meaning, list[str], list[str]]] = [
    (_set(rain=0.65, **_RAIN), ["in the rain", "with rain falling", "on a rainy day", "while it rains", "in wet weather"],
     ["下雨", "雨中", "下着雨", "雨天"]),
    (_set(rain=0.3, **_RAIN), ["in a light drizzle", "in soft rain", "with a little rain", "in a gentle shower"],
     ["细雨", "小雨", "毛毛雨", "下着小雨"]),
    (_set(rain=1.0, **_RAIN), ["in heavy rain", "in pouring rain", "in a downpour", "in torrential rain"],
     ["大雨", "倾盆大雨", "暴雨", "瓢泼大雨"]),
    (_set(rain=0.9, wind=0.85, energy=0.9, cloud=0.95, snow=0.0),
     ["in a storm", "in a thunderstorm", "with a storm raging", "in stormy weather", "under thunder and lightning"],
     ["暴风雨", "雷雨", "雷暴", "狂风暴雨", "电闪雷鸣"]),
    (_set(snow=0.65, **_SNOW), ["in falling snow", "while it snows", "with snowflakes drifting down", "in a snowfall"],
     ["下雪", "雪花飘落", "下着雪", "飘雪"]),
    (_set(snow=0.3, **_SNOW), ["in light snow", "with a few snowflakes", "in a flurry"], ["小雪", "零星雪花"]),
    (_set(snow=1.0, wind=0.9, **_SNOW), ["in a blizzard", "in a snowstorm", "in a white-out"], ["暴风雪", "大雪纷飞", "暴雪"]),
    (_set(fog=0.8), ["in thick fog", "in the fog", "wrapped in fog", "in dense mist"], ["浓雾", "大雾", "雾中", "大雾弥漫"]),
    (_set(fog=0.45), ["in a light mist", "in morning haze", "in thin fog"], ["薄雾", "轻雾", "雾气朦胧"]),
    (_set(cloud=0.05, rain=0.0, snow=0.0, fog=0.0),
     ["under a clear sky", "in clear weather", "with a cloudless sky", "on a sunny day", "in bright sunshine"],
     ["晴天", "晴空万里", "天气晴朗", "阳光明媚"]),
    (_set(cloud=0.95, rain=0.0, snow=0.0), ["under an overcast sky", "on a grey cloudy day", "under heavy clouds"],
     ["阴天", "乌云密布", "多云"]),
    (_set(wind=0.85), ["in a strong wind", "in a gale", "on a windy day", "with gusts of wind"], ["大风", "狂风", "刮着大风"]),
    (_set(wind=0.1, energy=0.15), ["calm and still", "quiet and peaceful", "in perfect stillness", "serene"],
     ["平静", "宁静", "安静祥和", "风平浪静"]),
]  # fmt: skip

_CALM_EN, _CALM_ZH = ["calm", "quiet", "peaceful", "serene", "still"], ["平静的", "宁静的", "安静的"]
_WILD_EN, _WILD_ZH = ["wild", "stormy", "rough", "turbulent"], ["狂野的", "汹涌的", "躁动的"]

# key → (more, less, stop, start): how one asks for more of it, less, none, some.
_AMOUNTS: dict[str, tuple[tuple[list[str], list[str]], ...]] = {
    "rain": (
        (["more rain", "rain harder", "let it rain harder", "make the rain stronger", "heavier rain please", "increase the rain",
          "the rain grows heavier", "it should pour more", "the rain gets worse"],
         ["雨下得更大", "雨再大一点", "增加雨量", "让雨更猛烈", "雨势加强"]),
        (["less rain", "ease the rain", "make the rain lighter", "a bit less rain", "reduce the rain", "soften the rain",
          "the rain lets up a little", "the rain weakens"],
         ["雨小一点", "减小雨量", "让雨势减弱", "雨下得小些"]),
        (["stop the rain", "no rain", "no more rain", "make it stop raining", "end the rain", "the rain stops", "without rain",
          "don't let it rain", "turn off the rain", "the rain ends", "it must not rain"],
         ["停雨", "让雨停下来", "不要下雨", "雨停了", "别下雨了", "没有雨", "把雨关掉"]),
        (["start the rain", "let it rain", "make it rain", "rain begins to fall", "it starts raining", "bring rain",
          "turn on the rain", "a shower comes", "rain sets in"],
         ["开始下雨", "让它下雨", "下起雨来", "来一场雨", "下雨吧"]),
    ),
    "snow": (
        (["more snow", "snow harder", "let it snow harder", "heavier snow", "increase the snowfall", "the snow thickens"],
         ["雪下得更大", "雪再大一点", "增加降雪", "让雪更密"]),
        (["less snow", "lighter snow", "reduce the snow", "a bit less snow", "the snow thins out", "ease the snowfall"],
         ["雪小一点", "减少降雪", "雪下得小些", "让雪势减弱"]),
        (["stop the snow", "no snow", "no more snow", "make it stop snowing", "end the snowfall", "the snow stops",
          "don't let it snow", "without falling snow", "turn off the snow"],
         ["停雪", "让雪停下来", "不要下雪", "雪停了", "别下雪了"]),
        (["start the snow", "let it snow", "make it snow", "snow begins to fall", "it starts snowing", "bring snow",
          "snowflakes appear", "turn on the snow"],
         ["开始下雪", "让它下雪", "下起雪来", "飘起雪花", "下雪吧"]),
    ),
    "fog": (
        (["more fog", "thicker fog", "increase the mist", "the fog thickens", "make it foggier", "denser fog"],
         ["雾更浓", "雾再大一点", "增加雾气", "让雾浓一些"]),
        (["less fog", "thin the fog", "reduce the mist", "a bit less fog", "the fog thins", "make it less foggy"],
         ["雾淡一点", "减少雾气", "让雾薄一些", "雾小一点"]),
        (["stop the fog", "no fog", "no more mist", "clear the fog", "the fog lifts", "remove the fog", "without fog",
          "the mist is gone"],
         ["雾散了", "去掉雾", "不要雾", "驱散雾气", "没有雾"]),
        (["bring fog", "fog rolls in", "let fog come", "mist rises", "make it foggy", "start the fog", "a fog bank arrives"],
         ["起雾了", "来点雾", "雾气升起", "让雾涌来", "开始起雾"]),
    ),
    "wind": (
        (["more wind", "stronger wind", "let the wind blow harder", "the wind picks up", "increase the wind", "make it windier"],
         ["风更大", "风再大一点", "让风更猛", "风力加强"]),
        (["less wind", "weaker wind", "the wind eases", "reduce the wind", "make it less windy", "the wind drops a little"],
         ["风小一点", "减弱风力", "让风缓和", "风力减小"]),
        (["stop the wind", "no wind", "the wind dies down", "no more wind", "without wind", "the air goes still"],
         ["风停了", "不要风", "让风停下", "没有风"]),
        (["start the wind", "bring wind", "let the wind blow", "a wind rises", "wind begins to blow", "turn on the wind"],
         ["起风了", "刮起风来", "让风吹起来", "来点风"]),
    ),
    "cloud": (
        (["more clouds", "make it cloudier", "increase the clouds", "the sky fills with clouds", "thicker clouds"],
         ["云更多", "增加云层", "云再多一些", "让云变厚"]),
        (["fewer clouds", "less clouds", "make it less cloudy", "thin the clouds", "the clouds thin out"],
         ["云少一点", "减少云层", "云淡一些"]),
        (["no clouds", "remove the clouds", "clear the sky", "the sky clears", "the clouds disappear", "without clouds"],
         ["没有云", "云散了", "天空放晴", "去掉云"]),
        (["bring clouds", "clouds gather", "clouds roll in", "cover the sky with clouds", "make it cloudy", "let clouds come"],
         ["乌云聚集", "来些云", "云层涌来", "天空布满云"]),
    ),
    "energy": (
        (["more energy", "make it livelier", "more lively", "raise the energy", "more movement", "make the world more active",
          "wilder please", "more intense"],
         ["更有活力", "更热闹", "提高能量", "更激烈一些"]),
        (["less energy", "make it calmer", "quieter please", "lower the energy", "calm down a bit", "less intense", "gentler"],
         ["安静一点", "更平静", "降低能量", "柔和一些"]),
        (["completely calm", "everything rests", "be silent and still", "utter calm"], ["完全平静", "万籁俱寂", "一切静止"]),
        (["wake the world up", "come alive", "let everything dance", "full of life"], ["热闹起来", "充满生机", "活跃起来"]),
    ),
    "sun_rad": (
        (["brighter", "more light", "more daylight", "raise the sun", "the sun climbs higher", "make it lighter"],
         ["亮一点", "更明亮", "太阳升高", "阳光更多"]),
        (["darker", "less light", "lower the sun", "the sun sinks", "make it darker", "dim the light"],
         ["暗一点", "更暗", "太阳下沉", "光线变暗"]),
        (["night falls", "let night come", "turn off the sun", "make it night", "it becomes night", "the stars come out"],
         ["夜幕降临", "天黑了", "变成夜晚", "星星出来了"]),
        (["let day come", "the sun rises", "make it day", "daylight returns", "the day breaks", "let the sun come up"],
         ["天亮了", "太阳升起", "变成白天", "日出"]),
    ),
}  # fmt: skip
# What is a thing can also be asked for by name: more of it, less, none, some.
_NOUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rain": (("rain", "rainfall", "shower"), ("雨", "雨水", "降雨")),
    "snow": (("snow", "snowfall", "snowflakes"), ("雪", "降雪", "雪花")),
    "fog": (("fog", "mist", "haze"), ("雾", "雾气")),
    "wind": (("wind", "breeze"), ("风", "大风")),
    "cloud": (("clouds", "cloud cover"), ("云", "云层")),
}
_PATTERNS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("more {}", "increase the {}", "stronger {}", "a lot more {}", "intensify the {}", "turn up the {}", "let the {} grow",
         "the {} gets stronger", "make the {} stronger"),
        ("更多{}", "加大{}", "增强{}", "{}再强一点", "{}变大", "让{}更强", "多来点{}", "{}再大些", "加强{}", "{}要更大"),
    ),
    (
        ("less {}", "reduce the {}", "weaker {}", "a little less {}", "turn down the {}", "ease the {}", "weaken the {}",
         "the {} gets weaker", "make the {} weaker", "the {} calms down"),
        ("减少{}", "减弱{}", "{}小一点", "{}弱一些", "少一点{}", "让{}小下来", "{}轻一点", "少些{}", "{}不要这么大", "降低{}"),
    ),
    (
        ("stop the {}", "no {}", "no more {}", "end the {}", "remove the {}", "get rid of the {}", "turn off the {}", "cease the {}",
         "the {} is over", "without any {}", "let the {} end", "I don't want {}", "do not show {}"),
        ("停止{}", "不要{}", "没有{}", "{}停了", "结束{}", "去掉{}", "不想要{}", "让{}停止", "{}不要了", "不再有{}", "把{}赶走",
         "驱散{}", "让{}消失", "让{}散去", "不想再看到{}", "把{}去掉", "{}快走开", "把{}清除掉", "{}全部消失"),
    ),
    (
        ("start the {}", "bring {}", "add {}", "let there be {}", "begin the {}", "turn on the {}", "the {} begins", "{} arrives",
         "I'd like some {}", "give us {}", "show {}"),
        ("开始{}", "来点{}", "加上{}", "有{}了", "出现{}", "想要{}", "让{}出现", "希望有{}", "想看到{}", "给我们一些{}", "来一场{}",
         "添一些{}", "{}来吧"),
    ),
)  # fmt: skip
for _key, _named in _NOUNS.items():
    for _wordings, _patterns in zip(_AMOUNTS[_key], _PATTERNS, strict=True):
        for _words, _names, _forms in zip(_wordings, _named, _patterns, strict=True):
            _words.extend(form.format(name) for form in _forms for name in _names if form.format(name) not in _words)
_STOP = {"sun_rad": -0.55, "cloud": 0.05, "energy": 0.05}  # what "none" of a key means; 0 unless said
_START = {"rain": 0.65, "snow": 0.65, "fog": 0.7, "wind": 0.75, "cloud": 0.9, "energy": 0.9, "sun_rad": 0.5}

_MOTIONS: dict[str, tuple[list[str], list[str]]] = {
    "still": (["stop walking", "hold still", "stand still", "stop moving", "stay here", "don't move", "halt", "stop the camera"],
              ["停下脚步", "站住不动", "不要动", "停止移动", "留在这里", "别走了", "站着别动", "停在这里", "停住"]),
    "forward": (["walk forward", "go ahead", "walk on", "move forward", "go straight on", "keep walking", "start walking",
                 "advance"], ["向前走", "往前走", "继续前进", "前进", "走起来", "开始走", "迈开步子", "走走看", "一直走", "朝前走", "往前移动", "走动起来",
                 "走一走"]),
    "back": (["walk back", "step back", "move backwards", "go back a bit", "retreat"], ["后退", "往后走", "向后退", "退后", "倒着走", "往后移动", "退几步"]),
    "left": (["step to the left", "strafe left", "move left", "slide left"], ["向左移动", "往左边走", "左移", "朝左走", "向左边挪"]),
    "right": (["step to the right", "strafe right", "move right", "slide right"], ["向右移动", "往右边走", "右移", "朝右走", "向右边挪"]),
    "turn_left": (["turn left", "pan left", "look left", "rotate to the left", "the camera pans left"],
                  ["向左转", "左转", "镜头左摇", "往左看"]),
    "turn_right": (["turn right", "pan right", "look right", "rotate to the right", "the camera pans right"],
                   ["向右转", "右转", "镜头右摇", "往右看"]),
    "look_up": (["look up", "tilt up", "look at the sky", "raise the view"], ["向上看", "抬头", "看天空", "镜头上摇"]),
    "look_down": (["look down", "tilt down", "look at the ground", "lower the view"], ["向下看", "低头", "看地面", "镜头下摇"]),
}  # fmt: skip
_VIEWS: dict[str, tuple[list[str], list[str]]] = {
    "third": (["third person", "show the walker", "see the character from behind", "third-person view", "follow a wanderer"],
              ["第三人称", "从身后看角色", "显示人物", "跟随旅人"]),
    "first": (["first person", "through my own eyes", "first-person view", "hide the character"],
              ["第一人称", "用自己的眼睛看", "隐藏人物"]),
}  # fmt: skip
_FLASH = (["lightning strikes", "a flash of lightning", "a lightning bolt", "thunder and a flash", "lightning flashes",
           "let lightning strike", "a bolt from the sky", "strike a lightning", "one flash of lightning", "lightning", "flash",
           "a thunderbolt", "let it flash", "a crack of thunder", "thunder"],
          ["打雷", "一道闪电", "闪电划过", "雷电交加的一闪", "闪电", "打一个雷", "来一道闪电", "雷声和闪光", "霹雳", "雷鸣"])  # fmt: skip
_NOTHING = (
    ["hello there", "thank you", "what a lovely installation", "please wait", "the museum closes at six", "open the door",
     "how are you", "carry on like this", "keep it as it is", "nothing changes", "welcome everyone", "test"],
    ["你好", "谢谢", "请稍等", "保持现状", "欢迎光临", "不要改变", "博物馆六点关门"],
)  # fmt: skip


def held_out(phrase: str) -> bool:
    """Whether a part's wording is kept for judging (about one in eight)."""
    return zlib.crc32(("oyster" + phrase).encode()) % 8 == 0


def _pick(rng: np.random.Generator, wordings: list[str], judging: bool) -> str:
    # The plainest wording, which stands first, is always learnt.
    kept = [w for at, w in enumerate(wordings) if (at > 0 and held_out(w)) == judging] or wordings
    return kept[int(rng.integers(len(kept)))]


def _amount(key: str, which: int) -> Meaning:
    operation = ("more", "less", "set", "set")[which]
    value = (0.0, 0.0, _STOP.get(key, 0.0), _START[key])[which]
    environment = {key: (operation, value)}
    if which in (0, 3) and key == "rain":
        environment["snow"] = ("set", 0.0)
    if which in (0, 3) and key == "snow":
        environment["rain"] = ("set", 0.0)
    if which == 3 and key in ("rain", "snow"):
        environment["cloud"] = ("set", 0.85)
    return Meaning(environment=environment)


def _decorate(rng: np.random.Generator, phrase: str, chinese: bool) -> str:
    if chinese:
        before = ["", "", "", "请", "现在", "让画面"][int(rng.integers(6))]
        return before + phrase + ["", "", "。", "吧"][int(rng.integers(4))]
    before = ["", "", "", "please ", "now ", "and now ", "I want: "][int(rng.integers(7))]
    after = ["", "", "", ".", " now", " please", "!"][int(rng.integers(7))]
    phrase = before + phrase + after
    return phrase[0].upper() + phrase[1:] if rng.random() < 0.3 else phrase


def scene(rng: np.random.Generator, judging: bool = False) -> tuple[str, Meaning]:
    """A scene to begin with, and what it means: a place, often a time, a weather, a mood."""
    zh = int(rng.random() < 0.4)
    name = PLACES[int(rng.integers(len(PLACES)))]
    meaning = Meaning(place=PLACES.index(name))
    words = _pick(rng, PLACE_WORDS[name][zh], judging)
    if "night" in words or "夜" in words:
        meaning |= _set(sun_rad=-0.55)
    mood = rng.random()
    if mood < 0.12:
        meaning |= _set(wind=0.1, energy=0.15)
        words = _moody(rng, words, _CALM_ZH if zh else _CALM_EN, bool(zh))
    elif mood < 0.2:
        meaning |= _set(wind=0.85, energy=0.9)
        words = _moody(rng, words, _WILD_ZH if zh else _WILD_EN, bool(zh))
    parts = []
    if rng.random() < 0.65:
        m, en, chinese = _TIMES[int(rng.integers(len(_TIMES)))]
        meaning |= m
        parts.append(_pick(rng, chinese if zh else en, judging))
    if rng.random() < 0.55:
        m, en, chinese = _WEATHERS[int(rng.integers(len(_WEATHERS)))]
        meaning |= m
        parts.append(_pick(rng, chinese if zh else en, judging))
    rng.shuffle(parts)
    more, extra = _cast(rng, judging, zh)
    meaning |= extra
    if zh:
        before = "".join(f"{p}{'的' if rng.random() < 0.5 else '，'}" for p in parts)
        return before + words + "".join("，" + part for part in more), meaning
    joined = words + "".join((", " if rng.random() < 0.3 else " ") + p for p in parts)
    return joined + "".join(", " + part for part in more), meaning


def _cast(rng: np.random.Generator, judging: bool, zh: int) -> tuple[list[str], Meaning]:
    """What a scene may name besides: a style, who walks, what is there; parts of a phrase and their meaning."""
    more, meaning = [], Meaning()
    if rng.random() < 0.18:
        phrase, part = _style(rng, judging, zh)
        more.append(phrase)
        meaning |= part
    if rng.random() < 0.10:
        phrase, part = _character(rng, judging, zh)
        more.append(phrase)
        meaning |= part
    if rng.random() < 0.12:
        phrase, part = _figure(rng, judging, zh, "enter")
        more.append(phrase)
        meaning |= part
    return more, meaning


def _style(rng: np.random.Generator, judging: bool, zh: int) -> tuple[str, Meaning]:
    name = STYLES[int(rng.integers(len(STYLES)))]
    word = _pick(rng, STYLE_WORDS[name][zh], judging)
    forms = (
        [word, word + "风格", "变成" + word, "画成" + word, "用" + word + "的样子", "像" + word + "一样"]
        if zh
        else [word, "as " + word, "in the style of " + word, "like " + word, "paint it as " + word, "make it look like " + word,
              word + " style", "switch to " + word, "everything becomes " + word, "turn the world into " + word]
    )  # fmt: skip
    return forms[int(rng.integers(len(forms)))], Meaning(style=STYLES.index(name))


def _character(rng: np.random.Generator, judging: bool, zh: int) -> tuple[str, Meaning]:
    name = CHARACTERS[int(rng.integers(len(CHARACTERS)))]
    form = WALKS[zh][int(rng.integers(len(WALKS[zh])))]
    phrase = form.format(_pick(rng, CHARACTER_WORDS[name][zh], judging))
    return phrase, Meaning(character=CHARACTERS.index(name), view="third")


def _figure(rng: np.random.Generator, judging: bool, zh: int, cue: str = "") -> tuple[str, Meaning]:
    name = FIGURES[int(rng.integers(len(FIGURES)))]
    cue = cue or ("enter", "leave")[int(rng.random() < 0.35)]
    called, enters, leaves = (words[zh] for words in FIGURE_WORDS[name])
    if rng.random() < 0.5:
        phrase = _pick(rng, enters if cue == "enter" else leaves, judging)
    else:
        forms = (ENTERS if cue == "enter" else LEAVES)[zh]
        word = _pick(rng, called, judging)
        if cue == "leave":
            for article in ("a ", "an "):
                word = "the " + word[len(article) :] if word.startswith(article) and rng.random() < 0.7 else word
        form = forms[int(rng.integers(len(forms)))]
        if form.startswith(("no ", "without ")) and " " in word:
            word = word.removeprefix("a ").removeprefix("an ").removeprefix("the ")
        phrase = form.format(word)
    return phrase, Meaning(figures={name: cue})


def _moody(rng: np.random.Generator, words: str, moods: list[str], chinese: bool) -> str:
    mood = moods[int(rng.integers(len(moods)))]
    if chinese:
        return mood + words
    for article in ("an ", "a ", "the "):
        if words.startswith(article):
            return f"{'the' if article == 'the ' else 'a'} {mood} {words[len(article) :]}"
    return f"{mood} {words}"


def directive(rng: np.random.Generator, judging: bool = False) -> tuple[str, Meaning]:
    """A directive for the running world, and what it means."""
    zh = int(rng.random() < 0.4)
    kind = rng.random()
    if kind < 0.36:
        key = tuple(_AMOUNTS)[int(rng.integers(len(_AMOUNTS)))]
        which = int(rng.integers(4))
        phrase, meaning = _pick(rng, _AMOUNTS[key][which][zh], judging), _amount(key, which)
        if rng.random() < 0.2:
            other = tuple(_AMOUNTS)[int(rng.integers(len(_AMOUNTS)))]
            if other != key:
                which = int(rng.integers(4))
                phrase += ("，" if zh else " and ") + _pick(rng, _AMOUNTS[other][which][zh], judging)
                meaning |= _amount(other, which)
    elif kind < 0.46:
        m, en, chinese = (_TIMES + _WEATHERS)[int(rng.integers(len(_TIMES) + len(_WEATHERS)))]
        said = _pick(rng, chinese if zh else en, judging)
        bare = (
            said.split(" ", 1)[1]
            if said.split(" ")[0] in ("in", "at", "on", "with", "under", "by", "as", "while")
            else said
        )
        en_forms = [
            said,
            "make it " + said,
            f"{bare} comes",
            f"change to {bare}",
            f"{bare} rolls in",
            f"a scene {said}",
            f"{bare} rolls in from the sea",
            f"{bare} approaches from the west",
            f"let {bare} come over us",
            f"{bare} draws near",
        ]
        zh_forms = [said, "变成" + said, said + "来了", "切换到" + said, said + "降临", said + "从海上来了"]
        forms = zh_forms if zh else en_forms
        phrase, meaning = forms[int(rng.integers(len(forms)))], m
    elif kind < 0.58:
        name = PLACES[int(rng.integers(len(PLACES)))]
        where = _pick(rng, PLACE_WORDS[name][zh], judging)
        forms = (
            ["去" + where, "带我们去" + where, "变成" + where, where, "走进" + where, "来到" + where, "切换到" + where, "想看" + where]
            if zh
            else ["go to " + where, "take us to " + where, "change to " + where, where, "the world becomes " + where,
                  "travel to " + where, "we arrive at " + where]
        )  # fmt: skip
        phrase, meaning = forms[int(rng.integers(len(forms)))], Meaning(place=PLACES.index(name))
        if "night" in where or "夜" in where:
            meaning |= _set(sun_rad=-0.55)
    elif kind < 0.66:
        name = tuple(_MOTIONS)[int(rng.integers(len(_MOTIONS)))]
        phrase, slow = _pick(rng, _MOTIONS[name][zh], judging), name != "still" and rng.random() < 0.3
        if slow:
            adverb = ("慢慢", "缓缓")[int(rng.integers(2))] if zh else ("slowly ", "gently ")[int(rng.integers(2))]
            phrase = adverb + phrase
        meaning = Meaning(motion=name, slow=slow)
    elif kind < 0.69:
        name = ("first", "third")[int(rng.integers(2))]
        phrase, meaning = _pick(rng, _VIEWS[name][zh], judging), Meaning(view=name)
    elif kind < 0.72:
        phrase, meaning = _pick(rng, _FLASH[zh], judging), Meaning(flash=True)
    elif kind < 0.80:
        phrase, meaning = _style(rng, judging, zh)
    elif kind < 0.84:
        phrase, meaning = _character(rng, judging, zh)
    elif kind < 0.93:
        phrase, meaning = _figure(rng, judging, zh)
    elif kind < 0.955:
        lift = ("rise", "sink")[int(rng.integers(2))]
        phrase, meaning = _pick(rng, LIFT_WORDS[lift][zh], judging), Meaning(lift=lift)
    elif kind < 0.97:
        phrase, meaning = _pick(rng, BACK_WORDS[zh], judging), Meaning(back=True)
    else:
        phrase, meaning = _pick(rng, _NOTHING[zh], judging), Meaning()
    return _decorate(rng, phrase, bool(zh)), meaning


def caption(rng: np.random.Generator, judging: bool = False) -> tuple[str, Meaning]:
    """A scene or a directive."""
    return scene(rng, judging) if rng.random() < 0.4 else directive(rng, judging)


assert set(_AMOUNTS) == set(ENVIRONMENT)
