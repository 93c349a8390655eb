"""What places, styles, figures and characters are called in English and Chinese: words that captions are made of."""

from __future__ import annotations

Words = tuple[list[str], list[str]]  # English, Chinese

PLACE_WORDS: dict[str, Words] = {
    "coast": (
        ["a coast", "the coast", "a beach", "the seaside", "a sandy shore", "an ocean shore", "the sea", "a bay by the sea",
         "waves on a beach", "the ocean", "a seashore", "a coastline with surf", "an empty beach"],
        ["海岸", "海边", "沙滩", "大海", "海滨", "海浪拍打的沙滩", "一片海滩", "海湾", "海洋"],
    ),
    "meadow": (
        ["a meadow", "a green meadow", "a field of flowers", "grassland", "a flowery meadow", "green hills", "a grassy field",
         "a pasture with trees", "wildflowers in the grass", "a prairie", "a lawn with blossoms", "the countryside"],
        ["草地", "草原", "花田", "开满鲜花的草地", "绿色的原野", "青草地", "牧场", "野花遍地的山坡", "田野"],
    ),
    "mountains": (
        ["the mountains", "a mountain valley", "high peaks", "rocky mountains", "an alpine valley", "a mountain range",
         "rugged cliffs and summits", "the alps", "mountains", "a valley between peaks", "stone peaks"],
        ["高山", "群山", "山谷", "雪山峰", "山脉", "崇山峻岭", "岩石山峰", "山里", "大山"],
    ),
    "desert": (
        ["a desert", "the desert", "sand dunes", "a sea of dunes", "the sahara", "dry dunes", "an arid desert", "golden dunes",
         "endless sand", "a sandy wasteland", "dunes"],
        ["沙漠", "沙丘", "大漠", "金色的沙丘", "戈壁沙漠", "荒漠", "无边的黄沙", "撒哈拉"],
    ),
    "snowfield": (
        ["a snowfield", "a snowy plain", "a field of snow", "the arctic", "the tundra", "a white winter landscape",
         "a frozen plain", "snow-covered land with firs", "a wintry wilderness", "the icy north", "an ice field"],
        ["雪原", "雪地", "冰原", "白雪覆盖的大地", "北极", "冬天的雪野", "冰天雪地", "苔原"],
    ),
    "forest": (
        ["a forest", "the forest", "the woods", "a deep forest", "among the trees", "a fir forest", "a dark wood", "woodland",
         "a pine forest", "tall old trees", "a forest clearing", "a wood of firs", "the jungle of trees"],
        ["森林", "树林", "林中", "松林", "密林", "深林", "参天大树", "林间空地", "杉树林"],
    ),
    "lake": (
        ["a lake", "the lake", "a lakeside", "a mountain lake", "a still lake", "a pond", "the shore of a lake", "open water",
         "a lake between hills", "a quiet reservoir", "a tarn", "the water's edge of a lake"],
        ["湖", "湖边", "湖泊", "湖面", "山中湖", "湖水", "池塘", "湖畔", "平静的湖"],
    ),
    "bamboo": (
        ["a bamboo grove", "a bamboo forest", "bamboo", "among the bamboo", "tall green bamboo", "a grove of bamboo",
         "bamboo stalks", "a path through bamboo", "the bamboo thicket", "swaying bamboo"],
        ["竹林", "竹子", "竹海", "翠竹", "竹林深处", "一片竹林", "幽篁", "青竹"],
    ),
    "street": (
        ["a street at night after rain", "a street at night", "a city street", "the city", "a street with shops", "a town with lit windows", "an avenue",
         "a street between houses", "downtown", "an alley in the city", "a boulevard", "streets of the town", "a paved street"],
        ["街道", "石板街道", "城市", "夜晚的街道", "城里", "大街", "小巷", "城镇街道", "市中心", "城市街头"],
    ),
    "reef": (
        ["under water", "a coral reef", "the bottom of the sea", "an underwater world", "the sea floor", "among corals", "a reef",
         "deep under the sea", "the seabed", "a sunken garden of corals", "beneath the waves", "the underwater kingdom"],
        ["水下", "珊瑚礁", "海底", "水下世界", "海底世界", "珊瑚丛中", "深海", "海床", "水底"],
    ),
    "cave": (
        ["a cave", "a cavern", "a crystal cave", "a grotto", "inside the mountain", "an underground hall", "a dripstone cave",
         "a cave with glowing crystals", "the underworld of stone", "a subterranean hall", "stalagmites"],
        ["洞穴", "山洞", "水晶洞", "溶洞", "地下大厅", "岩洞", "钟乳石洞", "发光的水晶洞"],
    ),
    "lanterns": (
        ["a lantern festival", "a village with lanterns", "an old town full of lanterns", "the festival of lights",
         "a lantern fair", "floating lanterns above old houses", "a village fair at night", "wooden houses with lanterns",
         "an old village with warm lights", "the lantern village"],
        ["灯会", "元宵灯会", "古镇灯火", "灯笼节", "挂满灯笼的古镇", "孔明灯飘过的村庄", "花灯会", "灯笼村"],
    ),
    "starfield": (
        ["a starfield", "outer space", "among the stars", "the cosmos", "a sea of stars", "the galaxy", "a plain under a nebula",
         "deep space", "the universe", "stars and nebulae", "a mirror among the stars"],
        ["星海", "太空", "宇宙", "银河", "群星之间", "星空之海", "星云之下", "深空", "浩瀚宇宙"],
    ),
}  # fmt: skip

STYLE_WORDS: dict[str, Words] = {
    "photograph": (["a photograph", "photo", "photographic", "realistic", "a realistic film", "real life", "a natural picture"],
                   ["照片", "写实", "真实感", "摄影", "真实的画面"]),
    "watercolour": (["watercolour", "watercolor", "a watercolour painting", "an aquarelle", "water colours", "a wet wash of colours"],
                    ["水彩", "水彩画", "水彩风格"]),
    "ink": (["ink wash", "chinese ink painting", "sumi-e", "ink", "black ink on rice paper", "brush and ink", "a shan shui scroll"],
            ["水墨", "水墨画", "国画", "山水画", "墨色", "毛笔画"]),
    "oil": (["oil painting", "oil on canvas", "swirling brush strokes", "an impressionist painting", "thick oil paint", "oil",
             "van gogh", "expressive brushwork"],
            ["油画", "印象派", "厚涂油彩", "旋转的笔触", "梵高风格"]),
    "animation": (["animation", "anime", "hand-drawn animation", "a cartoon", "an animated film", "cel animation", "a soft anime"],
                  ["动画", "手绘动画", "动漫", "卡通", "动画片"]),
    "woodblock": (["woodblock print", "ukiyo-e", "a japanese woodcut", "a woodcut", "a block print", "hokusai"],
                  ["版画", "浮世绘", "木版画", "木刻"]),
    "neon": (["neon", "neon lines", "neon night", "glowing neon", "synthwave", "cyberpunk neon", "lines of light"],
             ["霓虹", "霓虹灯", "赛博朋克", "荧光线条", "霓虹之夜"]),
    "paper": (["paper cut-out", "cut paper", "paper cutout", "a paper theatre", "layered paper", "papercut", "a collage of paper"],
              ["剪纸", "纸雕", "剪纸画", "层叠纸艺", "纸片剧场"]),
}  # fmt: skip

# What each is called, and how it comes and goes in words of its own.
FIGURE_WORDS: dict[str, tuple[Words, Words, Words]] = {
    "kitten": ((["a kitten", "a little cat", "a kitty", "a small cat"], ["一只小猫", "小猫", "小猫咪"]),
               (["a kitten runs up and walks along", "a kitten comes running", "a cat joins us", "let a kitten follow us"],
                ["一只小猫跑过来跟着走", "小猫跑过来", "让小猫跟着我们"]),
               (["the kitten runs away", "the kitten leaves", "send the cat away", "the kitten goes home"],
                ["小猫跑开了", "小猫离开", "让小猫走开"])),
    "deer": ((["a deer", "a stag", "a doe"], ["一只鹿", "鹿", "小鹿"]),
             (["a deer steps out", "a deer appears between the trees", "a stag comes and looks at us"], ["一只鹿走出来", "小鹿出现", "鹿来了"]),
             (["the deer leaves", "the deer runs off", "the stag is gone"], ["鹿跑了", "小鹿离开", "鹿走开了"])),
    "fox": ((["a fox", "a red fox"], ["一只狐狸", "狐狸"]),
            (["a fox slips by", "a fox comes near", "a fox trots up"], ["一只狐狸走过来", "狐狸来了", "狐狸出现"]),
            (["the fox leaves", "the fox runs away", "the fox is gone"], ["狐狸跑了", "狐狸离开", "狐狸走了"])),
    "person": ((["a person", "a stranger", "someone", "a visitor in the picture", "a man"], ["一个人", "有人", "陌生人", "路人"]),
               (["someone crouches", "someone walks up and crouches", "a person comes and kneels down", "a stranger approaches"],
                ["有人蹲下", "一个人走过来蹲下", "有人走来", "有人出现"]),
               (["the person leaves", "the stranger walks away", "nobody is there any more"], ["那个人离开", "人走了", "陌生人走开"])),
    "birds": ((["birds", "a flock of birds", "gulls", "swallows", "cranes"], ["鸟", "鸟群", "一群鸟", "海鸥", "飞鸟"]),
              (["birds cross the sky", "a flock of birds flies by", "let birds fly", "birds fly over"], ["鸟群飞过天空", "一群鸟飞过", "飞鸟掠过"]),
              (["the birds fly away", "the birds are gone", "no more birds"], ["鸟飞走了", "鸟群散去", "不要鸟"])),
    "butterflies": ((["butterflies", "a butterfly", "moths"], ["蝴蝶", "几只蝴蝶"]),
                    (["butterflies flutter around us", "butterflies come", "let butterflies dance"], ["蝴蝶飞来", "蝴蝶翩翩起舞", "蝴蝶围绕我们"]),
                    (["the butterflies leave", "the butterflies fly off", "no more butterflies"], ["蝴蝶飞走了", "蝴蝶散去", "不要蝴蝶"])),
    "fireflies": ((["fireflies", "glow-worms", "lightning bugs", "glowing insects"], ["萤火虫", "流萤"]),
                  (["fireflies glow around us", "fireflies come out", "let fireflies shine"], ["萤火虫亮起来", "萤火虫飞来", "萤火点点"]),
                  (["the fireflies fade", "the fireflies leave", "no more fireflies"], ["萤火虫散去", "萤火虫消失", "不要萤火虫"])),
    "lanterns": ((["sky lanterns", "paper lanterns", "floating lanterns", "flying lanterns"], ["孔明灯", "天灯", "纸灯笼"]),
                 (["lanterns rise", "lanterns rise into the sky", "let lanterns go up", "release sky lanterns"],
                  ["孔明灯升起", "放飞孔明灯", "天灯冉冉升起"]),
                 (["the lanterns drift away", "the lanterns go out", "no more lanterns in the sky"], ["孔明灯飘远", "天灯熄灭", "不要孔明灯"])),
    "boat": ((["a boat", "a sailing boat", "a ship", "a sailboat", "a junk"], ["一条船", "帆船", "小船", "船"]),
             (["a boat sails by", "a boat glides past", "a ship appears on the horizon"], ["一条船驶过", "帆船经过", "小船出现"]),
             (["the boat sails away", "the ship leaves", "the boat is gone"], ["船开走了", "帆船离开", "船远去"])),
    "whale": ((["a whale", "a great whale", "a humpback"], ["一头鲸", "鲸鱼", "鲸"]),
              (["a whale surfaces", "a whale rises", "a whale swims through the sky", "a whale passes"], ["鲸鱼浮出水面", "鲸鱼出现", "鲸在空中游过"]),
              (["the whale dives", "the whale leaves", "the whale swims away"], ["鲸鱼潜下去", "鲸鱼离开", "鲸游走了"])),
    "fireworks": ((["fireworks", "a firework", "rockets and bursts", "a firework display"], ["烟花", "烟火", "焰火"]),
                  (["fireworks burst in the sky", "light the fireworks", "set off fireworks", "let the fireworks begin"],
                   ["放烟花", "烟花绽放", "烟火升空"]),
                  (["the fireworks end", "stop the fireworks", "no more fireworks", "the fireworks are over"], ["烟花结束", "停止烟花", "不要烟花"])),
    "balloon": ((["a hot-air balloon", "a balloon", "an air balloon"], ["热气球", "一只热气球", "气球"]),
                (["a hot-air balloon drifts by", "a balloon rises", "a balloon floats over us"], ["热气球飘过", "热气球升起", "一只热气球出现"]),
                (["the balloon drifts away", "the balloon leaves", "the balloon is gone"], ["热气球飘走", "热气球离开", "气球远去"])),
    "meteor": ((["a shooting star", "a meteor", "a falling star", "a comet"], ["流星", "一颗流星", "彗星"]),
               (["a shooting star crosses the sky", "a meteor falls", "make a wish on a falling star"], ["流星划过天空", "一颗流星坠落", "流星出现"]),
               (["the meteor is gone", "no more shooting stars", "the falling star fades"], ["流星消失", "不要流星", "流星没了"])),
    "fish": ((["fish", "a school of fish", "a shoal of fish", "goldfish"], ["鱼", "鱼群", "一群鱼", "金鱼"]),
             (["a school of fish swims by", "fish come", "fish swim around us"], ["鱼群游过", "鱼游过来", "鱼围绕我们"]),
             (["the fish swim away", "the fish leave", "no more fish"], ["鱼游走了", "鱼群散去", "不要鱼"])),
}  # fmt: skip
# Said of any of them, {} being what it is called.
ENTERS: Words = (
    ["{} appears", "{} comes in", "show {}", "bring {}", "add {}", "I want to see {}", "let {} come", "{} enters", "here comes {}",
     "{} shows up", "give us {}", "with {}"],
    ["{}出现", "{}来了", "加上{}", "想看{}", "让{}进来", "来{}", "出现{}", "有{}"],
)  # fmt: skip
LEAVES: Words = (
    ["{} goes away", "remove {}", "{} disappears", "send {} away", "no {} any more", "hide {}", "stop {}", "{} leaves the picture",
     "without {}", "get rid of {}"],
    ["{}离开", "{}消失", "去掉{}", "不要{}了", "让{}走", "停止{}", "没有{}"],
)  # fmt: skip

CHARACTER_WORDS: dict[str, Words] = {
    "wanderer": (["a wanderer", "a traveller in a red coat", "a wanderer in a red cloak", "a hiker", "a woman in a red coat"],
                 ["旅人", "红衣旅人", "流浪者", "行者"]),
    "child": (["a child", "a little girl", "a boy", "a child in a yellow raincoat", "a kid"], ["孩子", "小女孩", "小男孩", "穿黄雨衣的孩子"]),
    "robot": (["a robot", "an android", "a small robot", "a machine on legs"], ["机器人", "小机器人", "机械人"]),
    "knight": (["a knight", "a knight in armour", "a warrior", "a soldier in armour"], ["骑士", "武士", "披甲的战士", "将军"]),
    "cat": (["a cat as the hero", "a walking cat", "a black cat hero", "a cat as character", "an orange cat as the walker"],
            ["猫当主角", "主角是猫", "黑猫主角"]),
    "deer": (["a deer as the hero", "a deer as character", "a stag as the walker", "a walking deer hero"], ["鹿当主角", "主角是鹿", "雄鹿主角"]),
}  # fmt: skip
WALKS: Words = (
    ["play as {}", "the character is {}", "follow {}", "third person with {}", "I am {}", "walk as {}", "as {}", "{} walks ahead"],
    ["扮演{}", "角色是{}", "跟随{}", "第三人称{}", "我是{}", "{}走在前面"],
)  # fmt: skip

LIFT_WORDS: dict[str, Words] = {
    "rise": (["rise above the trees", "rise up", "fly up", "lift off", "the camera rises", "float up into the air", "go higher",
              "a view from above", "soar above the land", "crane up"],
             ["升到树梢之上", "向上升起", "飞起来", "镜头上升", "飘到空中", "俯瞰大地", "升高"]),
    "sink": (["come down", "back to the ground", "sink down", "land", "the camera descends", "float down to the ground",
              "go lower", "crane down", "set down"],
             ["降下来", "回到地面", "下降", "镜头下降", "落地", "降低"]),
}  # fmt: skip
BACK_WORDS: Words = (
    ["back to before", "undo that", "go back to how it was", "as it was before", "take that back", "back to the previous scene",
     "return to what was", "undo the last change"],
    ["恢复之前的样子", "撤销", "回到刚才", "像之前一样", "恢复原样", "返回上一个场景"],
)  # fmt: skip
