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
from model.diorama.amounts import AMOUNTS, START, STOP
from model.diorama.landscapes import LANDSCAPES
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
    (_set(sun_rad=0.04), ["at dawn", "at sunrise", "at daybreak", "in the early morning light", "as the sun rises",
                          "at first light", "at the break of day",
      "in the small hours of the morning light", "just after sunrise", "when the sun comes up", "in a rosy dawn",
      "at cockcrow"],
     ["黎明", "日出时", "拂晓", "清晨", "破晓时分", "天刚亮", "晨曦中", "曙光里", "朝阳初升", "凌晨天亮时"]),
    (_set(sun_rad=0.4), ["in the morning", "on a bright morning", "mid-morning", "on a fresh morning", "before noon",
                         "in the forenoon",
      "at nine in the morning", "on a sunny morning", "late in the morning"], ["早上", "上午", "早晨", "上午九点",
      "午前",
      "明亮的早晨", "一大早"]),
    (_set(sun_rad=1.15), ["at noon", "at midday", "in the middle of the day", "under a high sun", "by day",
                          "in daylight", "at twelve o'clock", "at high noon",
      "with the sun overhead", "in broad daylight", "at lunchtime", "in the midday sun", "during the day",
      "in full daylight"],
     ["正午", "中午", "白天", "烈日当空", "正午时分", "大白天", "日头正高", "十二点", "晌午", "白昼"]),
    (_set(sun_rad=0.75), ["in the afternoon", "on an afternoon", "after lunch", "at three in the afternoon",
                          "on a lazy afternoon",
      "early in the afternoon", "past noon"], ["下午", "午后", "下午三点", "过午", "午后时光"]),
    (_set(sun_rad=0.05), ["at sunset", "at dusk", "in the evening", "at golden hour", "as the sun goes down",
                          "at nightfall",
     "in the twilight", "at sundown", "in the evening glow", "when the sun sets", "as evening comes",
     "in the last light of the day",
      "with a setting sun", "at the end of the day", "in the gloaming", "with a red evening sky", "in the blue hour"],
     ["日落时", "黄昏", "傍晚", "夕阳下", "暮色中", "日落", "晚霞里", "夕照中", "落日余晖", "太阳落山时", "薄暮",
      "残阳下"]),
    (_set(sun_rad=-0.55), ["at night", "at midnight", "in the dark of night", "under the stars", "by moonlight",
     "on a starry night", "in darkness", "by night", "in the dead of night", "late at night", "under the moon",
     "after dark", "in the moonlight",
      "under a starry sky", "in the night", "on a dark night", "during the night", "when it is dark",
      "in the pitch dark"],
     ["夜晚", "深夜", "午夜", "星空下", "月光下", "夜里", "黑夜里", "夜间", "晚上", "半夜", "月夜", "星夜",
      "夜深人静", "漆黑的夜", "三更半夜"]),
]  # fmt: skip

_RAIN, _SNOW = {"cloud": 0.85, "snow": 0.0}, {"cloud": 0.8, "rain": 0.0}
_WEATHERS: list[tuple[Meaning, list[str], list[str]]] = [
    (_set(rain=0.65, **_RAIN), ["in the rain", "with rain falling", "on a rainy day", "while it rains",
                                "in wet weather", "in rainy weather", "in the wet", "as rain falls",
      "under falling rain", "under rain clouds", "when it rains", "in a shower", "with raindrops falling",
      "on a wet day"],
     ["下雨", "雨中", "下着雨", "雨天", "雨里", "雨水落下", "阴雨", "中雨", "雨季", "下雨天", "雨滴落下"]),
    (_set(rain=0.3, **_RAIN), ["in a light drizzle", "in soft rain", "with a little rain", "in a gentle shower",
                               "in a fine rain", "in light rain", "in a slight drizzle",
      "with a few raindrops", "in a fine drizzle", "with drizzle", "in a little rain", "in a mild rain"],
     ["细雨", "小雨", "毛毛雨", "下着小雨", "蒙蒙细雨", "微雨", "雨丝飘飘", "淅淅沥沥的小雨", "牛毛细雨"]),
    (_set(rain=1.0, **_RAIN), ["in heavy rain", "in pouring rain", "in a downpour", "in torrential rain",
                               "in a cloudburst", "in a deluge", "in strong rain",
      "with rain pouring down", "in lashing rain", "in very heavy rain", "in a heavy shower", "in driving rain",
      "in monsoon rain"],
     ["大雨", "倾盆大雨", "暴雨", "瓢泼大雨", "大暴雨", "滂沱大雨", "豪雨", "骤雨", "大雨如注", "雨下得很大"]),
    (_set(rain=0.9, wind=0.85, energy=0.9, cloud=0.95, snow=0.0),
     ["in a storm", "in a thunderstorm", "with a storm raging", "in stormy weather", "under thunder and lightning",
      "in a tempest",
      "in a raging storm", "during a thunderstorm", "in a violent storm", "with a thunderstorm", "in a hurricane",
      "in a heavy storm",
      "in foul stormy weather", "in a howling tempest"],
     ["暴风雨", "雷雨", "雷暴", "狂风暴雨", "电闪雷鸣", "雷电交加", "风雨交加", "暴风骤雨", "雷阵雨", "台风", "风暴"]),
    (_set(snow=0.65, **_SNOW), ["in falling snow", "while it snows", "with snowflakes drifting down",
                                "in a snowfall", "in snowy weather", "on a snowy day",
      "as snow falls", "with snow falling", "when it snows", "with flakes in the air", "under falling snow",
      "in the snow"],
     ["下雪", "雪花飘落", "下着雪", "飘雪", "雪天", "雪中", "雪落下", "白雪飘飘", "飞雪", "雪花纷飞"]),
    (_set(snow=0.3, **_SNOW), ["in light snow", "with a few snowflakes", "in a flurry", "in a dusting of snow",
                               "in a thin snowfall", "with a little snow", "with single flakes",
      "in fine snow"], ["小雪", "零星雪花", "细雪", "微雪", "飘着小雪", "几片雪花"]),
    (_set(snow=1.0, wind=0.9, **_SNOW), ["in a blizzard", "in a snowstorm", "in a white-out", "in a heavy snowstorm",
                                         "in a raging blizzard",
      "in driving snow", "in a storm of snow", "in heavy blowing snow"], ["暴风雪", "大雪纷飞", "暴雪", "风雪交加",
      "狂风大雪", "大雪暴",
      "漫天风雪"]),
    (_set(fog=0.8), ["in thick fog", "in the fog", "wrapped in fog", "in dense mist", "in heavy fog", "in dense fog",
                     "in foggy weather", "on a foggy day",
      "hidden in fog", "shrouded in mist", "in fog as thick as milk", "under a blanket of fog", "lost in the fog"],
     ["浓雾", "大雾", "雾中", "大雾弥漫", "雾天", "浓雾弥漫", "雾茫茫", "雾锁", "重雾", "迷雾中"]),
    (_set(fog=0.45), ["in a light mist", "in morning haze", "in thin fog", "in a thin haze", "in light fog",
                      "in a soft mist", "in a faint haze",
      "slightly foggy", "in hazy air", "with a little mist"], ["薄雾", "轻雾", "雾气朦胧", "淡雾", "薄薄的雾",
      "轻烟薄雾", "雾蒙蒙"]),
    (_set(cloud=0.05, rain=0.0, snow=0.0, fog=0.0),
     ["under a clear sky", "in clear weather", "with a cloudless sky", "on a sunny day", "in bright sunshine",
      "in fine weather", "in sunny weather",
      "under a blue sky", "in fair weather", "with sunshine", "in the sunshine", "on a clear day",
      "in beautiful weather",
      "with blue skies"],
     ["晴天", "晴空万里", "天气晴朗", "阳光明媚", "好天气", "蓝天下", "风和日丽", "晴朗", "阳光灿烂", "碧空如洗"]),
    (_set(cloud=0.95, rain=0.0, snow=0.0), ["under an overcast sky", "on a grey cloudy day", "under heavy clouds",
                                            "in cloudy weather", "under a grey sky",
      "under dark clouds", "on an overcast day", "in dull weather", "beneath thick clouds", "in gloomy weather"],
     ["阴天", "乌云密布", "多云", "阴沉沉", "天阴", "密云", "浓云", "灰色的天空下", "云层厚重"]),
    (_set(wind=0.85), ["in a strong wind", "in a gale", "on a windy day", "with gusts of wind", "in windy weather",
                       "with a stiff breeze", "in high winds",
      "in blustery weather", "in a blowing wind", "in the wind", "as the wind blows"],
     ["大风", "狂风", "刮着大风", "强风", "风很大", "劲风", "疾风", "刮风", "风吹着"]),
    (_set(wind=0.1, energy=0.15), ["calm and still", "quiet and peaceful", "in perfect stillness", "serene",
                                   "in deep silence", "tranquil", "in peace and quiet",
      "calm and quiet", "in tranquility", "all quiet", "peaceful and calm", "restful"],
     ["平静", "宁静", "安静祥和", "风平浪静", "静谧", "安宁", "寂静无声", "祥和", "悠然宁静"]),
]  # fmt: skip

_CALM_EN, _CALM_ZH = (
    ["calm", "quiet", "peaceful", "serene", "still", "tranquil", "silent"],
    ["平静的", "宁静的", "安静的", "静谧的"],
)
_WILD_EN, _WILD_ZH = (
    ["wild", "stormy", "rough", "turbulent", "raging", "windswept"],
    ["狂野的", "汹涌的", "躁动的", "狂暴的"],
)

_MOTIONS: dict[str, tuple[list[str], list[str]]] = {
    "still": (["stop walking", "hold still", "stand still", "stop moving", "stay here", "don't move", "halt",
               "stop the camera", "stop", "don't walk any further", "stay where you are",
               "remain standing", "freeze", "stop right here", "wait here", "no more walking", "rest here",
               "stop going", "pause the walk"],
              ["停下脚步", "站住不动", "不要动", "停止移动", "留在这里", "别走了", "站着别动", "停在这里", "停住",
               "停", "站住", "停步", "原地不动", "不走了",
               "别动", "停下", "在这里等", "歇一歇"]),
    "forward": (["walk forward", "go ahead", "walk on", "move forward", "go straight on", "keep walking",
                 "start walking",
                 "advance", "forward", "go on", "move on", "walk ahead", "continue straight", "walk", "go forward",
                 "go straight ahead",
                 "take me forward", "head forward", "let's walk", "step forward", "proceed", "wander on",
                 "stroll along"], ["向前走", "往前走", "继续前进", "前进", "走起来", "开始走", "迈开步子", "走走看",
                 "一直走", "朝前走", "往前移动",
                                   "走动起来",
                 "走一走", "向前", "往前", "继续走", "向前进", "散步", "走吧", "直走", "朝前", "向前移动", "迈步向前"]),
    "back": (["walk back", "step back", "move backwards", "go back a bit", "retreat", "backwards", "go backwards",
              "walk backwards", "back up", "reverse", "back away",
              "take a few steps back", "move back", "draw back", "move away from here"], ["后退", "往后走", "向后退",
              "退后",
              "倒着走", "往后移动", "退几步", "倒退", "往后退", "向后", "后退几步", "退回去", "向后走", "退一退"]),
    "left": (["step to the left", "strafe left", "move left", "slide left", "sidestep left", "shift left",
              "go left sideways", "a step to the left", "shift to the left",
              "walk sideways to the left", "dodge left", "drift left"], ["向左移动", "往左边走", "左移", "朝左走",
              "向左边挪", "左边移",
              "往左移", "向左走", "向左平移", "往左挪", "左边走走"]),
    "right": (["step to the right", "strafe right", "move right", "slide right", "sidestep right", "shift right",
               "go right sideways", "a step to the right", "shift to the right",
               "walk sideways to the right", "dodge right", "drift right"], ["向右移动", "往右边走", "右移", "朝右走",
               "向右边挪",
               "右边移", "往右移", "向右走", "向右平移", "往右挪", "右边走走"]),
    "turn_left": (["turn left", "pan left", "look left", "rotate to the left", "the camera pans left", "rotate left",
                   "spin left", "look to the left",
                   "swing left", "turn to the left", "what is on the left", "turn your head left",
                   "turn the camera left", "left turn"],
                  ["向左转", "左转", "镜头左摇", "往左看", "向左看", "往左转", "左拐", "朝左看", "镜头向左",
                   "转向左边", "看左边"]),
    "turn_right": (["turn right", "pan right", "look right", "rotate to the right", "the camera pans right",
                    "rotate right", "spin right", "look to the right",
                    "swing right", "turn to the right", "what is on the right", "turn your head right",
                    "turn the camera right", "right turn"],
                   ["向右转", "右转", "镜头右摇", "往右看", "向右看", "往右转", "右拐", "朝右看", "镜头向右",
                    "转向右边", "看右边"]),
    "look_up": (["look up", "tilt up", "look at the sky", "raise the view", "look upwards", "tilt the camera up",
                 "up", "turn your eyes to the sky", "gaze up",
                "show me the sky", "look above", "point the camera up"], ["向上看", "抬头", "看天空", "镜头上摇",
                "往上看", "仰望",
                "看上面", "抬头看", "仰头", "镜头向上", "看看天"]),
    "look_down": (["look down", "tilt down", "look at the ground", "lower the view", "look downwards",
                   "tilt the camera down", "down", "look at my feet", "gaze down",
                  "show me the ground", "look below", "point the camera down"], ["向下看", "低头", "看地面",
                  "镜头下摇", "往下看",
                  "看脚下", "俯视", "低头看", "看下面", "镜头向下", "看看地上"]),
}  # fmt: skip
_VIEWS: dict[str, tuple[list[str], list[str]]] = {
    "third": (["third person", "show the walker", "see the character from behind", "third-person view",
               "follow a wanderer", "from behind", "show me my body", "see myself from behind",
               "over the shoulder view", "show the figure who walks", "external view", "switch to third person",
               "show the hero"],
              ["第三人称", "从身后看角色", "显示人物", "跟随旅人", "第三人称视角", "看到自己的背影", "显示角色",
               "从背后看", "让人物出现", "他人视角"]),
    "first": (["first person", "through my own eyes", "first-person view", "hide the character", "hide the walker",
               "switch to first person", "from my own view", "no character",
               "the camera is my eye", "remove the hero", "without the walker", "egocentric view"],
              ["第一人称", "用自己的眼睛看", "隐藏人物", "第一人称视角", "去掉角色", "不要人物", "主观视角",
               "我的视角", "隐藏角色"]),
}  # fmt: skip
_FLASH = (["lightning strikes", "a flash of lightning", "a lightning bolt", "thunder and a flash", "lightning flashes",
           "let lightning strike", "a bolt from the sky", "strike a lightning", "one flash of lightning",
           "lightning", "flash",
           "a thunderbolt", "let it flash", "a crack of thunder", "thunder", "one bolt", "the sky flashes",
           "thunder rolls", "a lightning", "strike",
           "make lightning", "a clap of thunder", "lightning bolt now", "zap", "a sudden flash", "let it thunder",
           "it thunders",
           "give us a flash of lightning", "a bright flash in the sky", "thunder and lightning once"],
          ["打雷", "一道闪电", "闪电划过", "雷电交加的一闪", "闪电", "打一个雷", "来一道闪电", "雷声和闪光", "霹雳",
           "雷鸣", "闪一下", "劈下闪电", "雷声", "打闪",
           "轰隆一声雷", "让闪电劈下", "一声惊雷", "亮一道电光", "放个闪电"])  # fmt: skip
_NOTHING = (
    ["hello there", "thank you", "what a lovely installation", "please wait", "the museum closes at six",
     "open the door",
     "how are you", "carry on like this", "keep it as it is", "nothing changes", "welcome everyone", "test", "hello",
     "good evening", "nice", "where are the toilets", "this is beautiful",
     "one two three", "excuse me", "who made this", "don't change anything", "leave it like this", "stay like that",
     "yes", "no", "ok",
     "what time is it", "I like it", "so pretty", "goodbye", "my name is anna", "the exhibition opens tomorrow",
     "please be seated",
     "just continue", "it is fine"],
    ["你好", "谢谢", "请稍等", "保持现状", "欢迎光临", "不要改变", "博物馆六点关门", "大家好", "真漂亮", "就这样",
     "测试", "好的", "再见", "不错", "厕所在哪", "我喜欢",
     "很好", "早上好啊", "展览明天开始", "这是谁做的"],
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
    value = (0.0, 0.0, STOP.get(key, 0.0), START[key])[which]
    environment = {key: (operation, value)}
    if which in (0, 3) and key == "rain":
        environment["snow"] = ("set", 0.0)
    if which in (0, 3) and key == "snow":
        environment["rain"] = ("set", 0.0)
    if which == 3 and key in ("rain", "snow"):
        environment["cloud"] = ("set", 0.85)
    return Meaning(environment=environment)


# What one says around a phrase, in English and Chinese; nothing more often than not.
BEFORE = (
    ("please ", "now ", "and now ", "i want: ", "can you ", "could you ", "would you please ", "ok, ", "hey, ",
     "then ", "let's say ",
     "maybe ", "next: ", "quick, ", "so, ", "i would like: "),
    ("请", "现在", "让画面", "麻烦", "能不能", "可以", "帮我", "拜托", "接下来", "快", "那就", "好，"),
)  # fmt: skip
AFTER = (
    (".", " now", " please", "!", "?", " for us", " right now", ", thank you", " if you can", " today", "..."),
    ("。", "吧", "！", "好吗", "可以吗", "谢谢", "一下", "啊", "呢", "？"),
)


def _decorate(rng: np.random.Generator, phrase: str, chinese: int) -> str:
    if rng.random() < 0.55:
        phrase = BEFORE[chinese][int(rng.integers(len(BEFORE[chinese])))] + phrase
    if rng.random() < 0.55:
        phrase += AFTER[chinese][int(rng.integers(len(AFTER[chinese])))]
    return phrase[0].upper() + phrase[1:] if rng.random() < 0.3 else phrase


def _bare(word: str) -> str:
    return word.removeprefix("a ").removeprefix("an ").removeprefix("the ")


_KEPT = {  # what a place is called in wordings that are kept for judging
    name: [[_bare(w) for w in words[zh][1:] if held_out(w)] for zh in (0, 1)] for name, words in PLACE_WORDS.items()
}


def _composed(rng: np.random.Generator, name: str, zh: int) -> str:
    """A place in words put together at random; none that holds a wording kept for judging."""
    nouns, traits, details = LANDSCAPES[name].words(zh)
    while True:
        noun, trait, detail = (words[int(rng.integers(len(words)))] for words in (nouns, traits, details))
        trait, detail = trait if rng.random() < 0.4 else "", detail if rng.random() < 0.35 else ""
        if zh:
            phrase = detail + trait + noun
        else:
            article = ("a ", "the ", "")[int(rng.integers(3))]
            phrase = article + " ".join(part for part in (trait, noun, detail) if part)
        if not any(kept in phrase for kept in _KEPT[name][zh]):
            return phrase


def _where(rng: np.random.Generator, name: str, zh: int, judging: bool) -> tuple[str, Meaning]:
    """A place in words, and what they mean: some are of the night."""
    composed = not judging and rng.random() < 0.5
    words = _composed(rng, name, zh) if composed else _pick(rng, PLACE_WORDS[name][zh], judging)
    meaning = Meaning(place=PLACES.index(name))
    return words, meaning | _set(sun_rad=-0.55) if "night" in words or "夜" in words else meaning


_SCENES = ("a picture of ", "we see ", "imagine ", "show me ", "a world: ", "i dream of ", "a view of ", "this is ")


def scene(rng: np.random.Generator, judging: bool = False) -> tuple[str, Meaning]:
    """A scene to begin with, and what it means: a place, often a time, a weather, a mood."""
    zh = int(rng.random() < 0.4)
    name = PLACES[int(rng.integers(len(PLACES)))]
    words, meaning = _where(rng, name, zh, judging)
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
    if parts and rng.random() < 0.15:
        words = parts.pop() + ", " + words
    joined = words + "".join((", " if rng.random() < 0.3 else " ") + p for p in parts)
    if rng.random() < 0.2:
        joined = _SCENES[int(rng.integers(len(_SCENES)))] + joined
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


def _formed(rng: np.random.Generator, forms: tuple[tuple[str, ...], tuple[str, ...]], zh: int, *said: str) -> str:
    return forms[zh][int(rng.integers(len(forms[zh])))].format(*said)


_STYLED = (
    ("{}", "as {}", "in the style of {}", "like {}", "paint it as {}", "make it look like {}", "{} style",
     "switch to {}",
     "everything becomes {}", "turn the world into {}", "draw it as {}", "render it as {}", "show it as {}", "{} look",
     "change the style to {}", "in {}", "done as {}", "the look of {}", "i want {}", "transform it into {}"),
    ("{}", "{}风格", "变成{}", "画成{}", "用{}的样子", "像{}一样", "换成{}", "{}的风格", "改成{}", "变为{}",
     "切换到{}", "以{}的方式",
     "{}效果", "我要{}", "做成{}", "{}画面"),
)  # fmt: skip
_WEATHERED = (  # as it was said, and without its preposition
    ("{0}", "make it {0}", "{1} comes", "change to {1}", "{1} rolls in", "a scene {0}", "{1} rolls in from the sea",
     "{1} approaches from the west", "let {1} come over us", "{1} draws near", "we are {0}", "the world {0}",
     "now it is {1}",
     "what about {1}", "show us the world {0}", "switch to {1}", "turn it to {1}", "let us have {1}",
     "i want to be {0}",
     "the weather is {1}", "the same place {0}"),
    ("{0}", "变成{0}", "{0}来了", "切换到{0}", "{0}降临", "{0}从海上来了", "现在是{0}", "换成{0}", "我想要{0}",
     "{0}的时候", "{0}的景色",
     "改成{0}", "想看{0}", "到了{0}", "进入{0}"),
)  # fmt: skip
_GONE = (
    ("go to {}", "take us to {}", "change to {}", "{}", "the world becomes {}", "travel to {}", "we arrive at {}",
     "show us {}",
     "let's go to {}", "i want to be in {}", "imagine {}", "turn it into {}", "switch to {}", "lead us into {}",
     "walk into {}",
     "how about {}", "can we visit {}", "next we see {}", "move to {}", "let it be {}", "transport us to {}",
     "we want to see {}",
     "enter {}", "now we are in {}", "make it {}", "the scene is {}", "i long for {}", "off to {}",
     "carry us away to {}",
     "become {}", "the next place is {}"),
    ("去{}", "带我们去{}", "变成{}", "{}", "走进{}", "来到{}", "切换到{}", "想看{}", "我们去{}", "换成{}", "进入{}",
     "前往{}", "场景是{}",
     "梦见{}", "想去{}", "现在我们在{}", "出发去{}", "让我们走进{}", "转到{}", "看看{}", "下一站{}", "我要看{}",
     "把这里变成{}", "到{}"),
)  # fmt: skip


def _style(rng: np.random.Generator, judging: bool, zh: int) -> tuple[str, Meaning]:
    name = STYLES[int(rng.integers(len(STYLES)))]
    word = _pick(rng, STYLE_WORDS[name][zh], judging)
    return _formed(rng, _STYLED, zh, word), Meaning(style=STYLES.index(name))


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
            word = _bare(word)
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
        key = tuple(AMOUNTS)[int(rng.integers(len(AMOUNTS)))]
        which = int(rng.integers(4))
        phrase, meaning = _pick(rng, AMOUNTS[key][which][zh], judging), _amount(key, which)
        if rng.random() < 0.2:
            other = tuple(AMOUNTS)[int(rng.integers(len(AMOUNTS)))]
            if other != key:
                which = int(rng.integers(4))
                phrase += ("，" if zh else " and ") + _pick(rng, AMOUNTS[other][which][zh], judging)
                meaning |= _amount(other, which)
    elif kind < 0.46:
        m, en, chinese = (_TIMES + _WEATHERS)[int(rng.integers(len(_TIMES) + len(_WEATHERS)))]
        said = _pick(rng, chinese if zh else en, judging)
        bare = (
            said.split(" ", 1)[1]
            if said.split(" ")[0] in ("in", "at", "on", "with", "under", "by", "as", "while")
            else said
        )
        phrase, meaning = _formed(rng, _WEATHERED, zh, said, bare), m
    elif kind < 0.58:
        where, meaning = _where(rng, PLACES[int(rng.integers(len(PLACES)))], zh, judging)
        phrase = _formed(rng, _GONE, zh, where)
    elif kind < 0.66:
        name = tuple(_MOTIONS)[int(rng.integers(len(_MOTIONS)))]
        phrase, slow = _pick(rng, _MOTIONS[name][zh], judging), name != "still" and rng.random() < 0.3
        if slow:
            adverbs = ("慢慢", "缓缓", "轻轻", "慢慢地") if zh else ("slowly ", "gently ", "at a slow pace ", "softly ")
            phrase = adverbs[int(rng.integers(4))] + phrase
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
    return _decorate(rng, phrase, zh), meaning


def caption(rng: np.random.Generator, judging: bool = False) -> tuple[str, Meaning]:
    """A scene or a directive."""
    return scene(rng, judging) if rng.random() < 0.4 else directive(rng, judging)


assert set(AMOUNTS) == set(ENVIRONMENT)
