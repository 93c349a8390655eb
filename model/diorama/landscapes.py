"""Landscapes in other words: what each place may be called, what it is like and what is seen there.

Composed at random for training alone, so that the text head hears many more ways to name a place than the wordings that
it is judged by (`wordings.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Landscape:
    """Words for a place, each list in English and in Chinese: names, what it is like, and what is seen there."""

    names: tuple[str, str]
    traits: tuple[str, str]
    details: tuple[str, str]

    def words(self, chinese: int) -> tuple[list[str], list[str], list[str]]:
        """The lists of one language."""
        names, traits, details = ([w.strip() for w in x[chinese].split("|")] for x in vars(self).values())
        return names, traits, details


LANDSCAPES: dict[str, Landscape] = {
    "coast": Landscape(
        ("coast|beach|seaside|shore|seashore|sea|ocean|bay|cove|shoreline|sea coast|sandy beach|strand|surf|"
         "oceanside|lagoon beach|"
         "coastline|sea view|waterfront by the sea|pacific|atlantic|breakers",
         "海岸|海滩|海边|海滨|大海|沙滩|海洋|海湾|海岸线|浪花|海浪|滨海|太平洋|岸边的海"),
        ("sandy|long|salty|blue|tropical|endless|golden|wide|rocky|foaming",
         "金色的|长长的|蓝色的|无人的|热带的|辽阔的|多沙的"),
        ("with rolling waves|where waves break|with sand and shells|with foam on the sand|with the tide coming in|"
         "where the sea meets the land|with surf|with salty air|with footprints in the sand",
         "有海浪的|浪涛滚滚的|有贝壳的|潮水涌来的|浪花拍岸的"),
    ),
    "meadow": Landscape(
        ("meadow|grassland|field|pasture|lawn|prairie|hills|grass|countryside|field of flowers|flower field|farmland|"
         "steppe|"
         "wildflowers|fields|garden|hillside|grassy plain|savannah|park|flower meadow",
         "草地|草原|田野|花海|花田|原野|牧场|绿地|草坡|山坡|乡村|野花|草甸|花园|绿色的丘陵|农田"),
        ("green|flowery|blooming|grassy|lush|rolling|open|rural|fresh|summery|soft|colourful",
         "绿色的|青青的|开花的|茂盛的|柔软的|辽阔的|夏天的|春天的|鲜花盛开的"),
        ("with daisies and poppies|full of flowers|with tall grass|with soft grass|with blossoms|where cows graze|"
         "with clover and bees|with gentle slopes|where flowers bloom|with dandelions",
         "开满小花的|长满青草的|有蒲公英的|牛羊吃草的|鲜花遍地的|蜜蜂飞舞的"),
    ),
    "mountains": Landscape(
        ("mountains|mountain|peaks|valley|summit|summits|highlands|mountain range|cliffs|ridge|gorge|canyon of rock|"
         "himalaya|rockies|"
         "mountain pass|massif|crags|rock walls|heights|mountain world|ravine|andes",
         "高山|群山|山脉|山峰|山谷|峡谷|峭壁|山岭|喜马拉雅|高原山地|悬崖|山顶|大山|岩壁|峻岭"),
        ("high|rocky|steep|alpine|rugged|stony|mighty|towering|bare|majestic|huge|grey",
         "高高的|陡峭的|雄伟的|巍峨的|多石的|险峻的|连绵的|壮丽的"),
        ("with steep cliffs|with stone slopes|above the tree line|with sharp ridges|with rocks and scree|"
         "with snow on the peaks|with deep valleys|with granite walls",
         "有悬崖的|怪石嶙峋的|山峰耸立的|岩石裸露的|山谷幽深的"),
    ),
    "desert": Landscape(
        ("desert|dunes|dune|sand|sands|wasteland|sand sea|sahara|gobi|wadi|sandy desert|dune field|sand hills|"
         "drylands|barrens|"
         "waste of sand|arabian desert|oasis land|badlands of sand|namib",
         "沙漠|沙丘|大漠|荒漠|戈壁|沙海|黄沙|沙地|撒哈拉|沙山|瀚海|沙原"),
        ("dry|hot|arid|endless|golden|sandy|burning|waterless|vast|barren|yellow|parched",
         "干旱的|炎热的|金色的|无边的|荒凉的|干燥的|茫茫的|滚烫的"),
        ("with rippled sand|with dunes to the horizon|where camels walk|without a drop of water|of sand and heat|"
         "with nothing but sand|with shimmering heat|like the sahara|with golden dunes",
         "只有沙子的|骆驼走过的|没有水的|沙丘起伏的|热浪滚滚的|黄沙漫漫的"),
    ),
    "snowfield": Landscape(
        ("snowfield|tundra|arctic|winter landscape|snowy plain|ice field|glacier|north pole|antarctica|polar land|"
         "winter|"
         "white plain|snowy land|winter wonderland|snow landscape|polar desert|siberia|icy waste|frozen land|"
         "greenland|lapland",
         "雪原|雪地|冰原|冰川|北极|南极|苔原|雪野|冰雪世界|西伯利亚|冬天|雪国|极地|冰雪大地|雪景"),
        ("snowy|white|frozen|icy|cold|wintry|snow-covered|frosty|polar|freezing|arctic|glittering|untouched",
         "白色的|冰冷的|寒冷的|冰封的|积雪的|雪白的|冰冻的|严寒的"),
        ("covered in snow|deep in snow|with ice and snow|with snowdrifts|white as far as one sees|"
         "under a blanket of snow|"
         "with firs in the snow|with frozen ground|where penguins live",
         "白雪皑皑的|被雪覆盖的|积雪很深的|天寒地冻的|银装素裹的|结冰的"),
    ),
    "forest": Landscape(
        ("forest|woods|wood|woodland|trees|pines|firs|pine wood|spruce forest|oak forest|taiga|wilderness of trees|"
         "rainforest|"
         "black forest|fairy-tale forest|clearing in the trees|conifers|thicket of trees|jungle|birch wood|"
         "grove of oaks|old trees",
         "森林|树林|林子|松林|丛林|密林|深林|原始森林|老树林|林间|枞树林|针叶林|黑森林|山林|大树"),
        ("deep|dark|dense|old|ancient|mossy|shady|green|enchanted|leafy|wooded|magical",
         "幽深的|茂密的|古老的|阴暗的|绿色的|神秘的|长满青苔的"),
        ("with moss and ferns|between trunks|with tall trees|full of trees|where trees stand close|"
         "with pines and spruces|"
         "under the leaves|with mushrooms on the ground",
         "长满树的|大树参天的|树影婆娑的|长满蘑菇的|绿树成荫的"),
    ),
    "lake": Landscape(
        ("lake|pond|lakeside|tarn|reservoir|loch|lake shore|mere|water|lakeshore|freshwater lake|mirror of water|"
         "lagoon|bank of a lake|"
         "lakeland|mountain lake|alpine lake|waterside|pool|lake district",
         "湖|湖泊|湖边|湖畔|湖面|池塘|湖水|湖岸|水库|山湖|水潭|西湖|湖心|大湖"),
        ("clear|blue|deep|smooth|glassy|mirror-like|silver|round|cold",
         "清澈的|碧绿的|蓝色的|如镜的|深深的|波光粼粼的"),
        ("with reeds|that mirrors the hills|with still water|with reflections|with hills around it|where ducks swim|"
         "with ripples on the water|with water lilies|as smooth as glass",
         "倒映群山的|长着芦苇的|水平如镜的|有睡莲的|微波荡漾的|群山环抱的"),
    ),
    "bamboo": Landscape(
        ("bamboo|bamboos|bamboo grove|bamboo forest|bamboo wood|bamboo thicket|bamboo garden|bamboo jungle|"
         "bamboo canes|bamboo stems|"
         "sea of bamboo|bamboo path|bamboo plantation|giant bamboo|panda forest of bamboo|bamboo trail",
         "竹林|竹子|竹海|翠竹|竹园|竹丛|毛竹|竹径|竹山|紫竹林|修竹|竹叶"),
        ("green|tall|dense|rustling|slender|jade|asian|bright green|thick",
         "翠绿的|高高的|茂密的|青翠的|沙沙作响的|挺拔的"),
        ("with green stalks|with slender stems|where pandas live|with rustling leaves|with canes on both sides|"
         "as in kyoto|"
         "with stems swaying in the breeze",
         "竹叶沙沙的|熊猫住的|竹影摇曳的|绿意盎然的"),
    ),
    "street": Landscape(
        ("street|city|town|avenue|boulevard|alley|downtown|road|lane|shopping street|metropolis|city centre|pavement|"
         "streets|"
         "neighbourhood|main street|urban street|tokyo|hong kong|new york|city lights|crossroads|cobbled street",
         "街道|城市|大街|小巷|街头|市区|城里|市中心|马路|商业街|老街|都市|街区|胡同|东京街头|香港|上海"),
        ("urban|busy|empty|paved|narrow|cobbled|modern|crowded|asphalt|lamplit|big-city",
         "繁华的|狭窄的|铺着石板的|现代的|空荡荡的|大都市的"),
        ("with houses and shops|with street lamps|with lit windows|between tall buildings|with shop windows|"
         "with neon signs|with asphalt and lamps|with facades on both sides|with cafes",
         "有商店的|路灯亮着的|高楼林立的|橱窗明亮的|车水马龙的"),
    ),
    "reef": Landscape(
        ("reef|coral reef|sea floor|ocean floor|seabed|underwater world|corals|bottom of the ocean|deep sea|"
         "underwater landscape|"
         "sunken world|coral garden|underwater garden|submarine world|atlantis|great barrier reef|"
         "depths of the ocean|aquarium|world beneath the sea|world under the waves|"
         "dive site|kelp forest under water",
         "珊瑚礁|海底|水下|深海|珊瑚|水底|海底世界|水族馆|海床|龙宫|大堡礁|水下花园|海洋深处|潜水|海浪之下|水面之下|波涛底下"),
        ("underwater|coral|submerged|sunken|undersea|deep blue|colourful underwater|tropical coral|aquatic",
         "水下的|海底的|五彩的珊瑚|深蓝的水下|沉没的海底"),
        ("under the sea|below the surface|beneath the sea|beneath the surface|under the waves|below the waves|"
         "underneath the water|beneath the water|where the waves are overhead|with corals|with sea anemones|"
         "deep down in the water|with bubbles rising|"
         "with light from the surface|with sea grass and corals|diving below",
         "长满珊瑚的|海葵摇曳的|水草飘动的|冒着气泡的|在水面以下的"),
    ),
    "cave": Landscape(
        ("cave|cavern|caves|crystal cave|underground cave|limestone cave|dripstone cavern|ice-less cave|"
         "hollow in the rock|caverns|rock shelter|sea cave|lava tube|catacombs|cave chapel|cave temple|rock-cut temple|"
         "shrine in a cavern|potholer's den|"
         "stalactite cave|underground world|mine|tunnel of stone|cave of crystals|chamber in the rock|"
         "underground chamber|"
         "depths of the earth|hall of stalactites|vault of stone|lair in the rock",
         "洞穴|山洞|岩洞|溶洞|地下洞穴|水晶洞穴|石洞|地洞|钟乳石|地下世界|矿洞|地宫|石窟|地底|洞窟|山中的岩洞|山腹里的洞穴|山里的溶洞|山体里的石窟|洞天|石洞深处|大山里的地洞"),
        ("underground|dark underground|subterranean|crystal|rocky underground|dripping|hollow|echoing|cavernous|"
         "glowing underground",
         "地下的|漆黑的地下|布满水晶的|滴水的|幽暗的地下|回声的"),
        ("with stalactites|with glowing crystals|under the earth|deep underground|inside the rock|with dripping stones|"
         "below the ground|with a stone ceiling|lit by crystals|with stone pillars",
         "长满钟乳石的|水晶发光的|在地下的|石笋林立的|深入地底的"),
    ),
    "lanterns": Landscape(
        ("lantern festival|lantern village|lantern fair|festival of lanterns|village of lanterns|"
         "old town with lanterns|"
         "lantern market|night market with lanterns|lantern-lit village|lantern-lit alleys|"
         "old chinese town with red lanterns|"
         "mid-autumn festival|temple fair with lanterns|wooden village with lanterns|lantern street in an old town|"
         "festive village|"
         "lamplit old village|village festival",
         "灯会|灯笼节|元宵节|灯笼村|古镇灯会|花灯节|庙会|灯市|红灯笼古镇|中秋灯会|挂灯笼的村子|灯火古镇|灯笼街|"
         "江南古镇灯火"),
        ("festive|red|old|lantern-lit|glowing|warm|chinese|traditional|cosy",
         "喜庆的|红红的|古老的|温暖的|传统的|点亮的"),
        ("with red lanterns|with lanterns on the houses|hung with lanterns|lit by lanterns|"
         "with hundreds of lanterns|with wooden houses|with lanterns over the lanes",
         "挂着红灯笼的|灯笼高挂的|灯火通明的|到处是灯笼的|木屋相连的"),
    ),
    "starfield": Landscape(
        ("space|outer space|cosmos|universe|galaxy|nebula|starfield|milky way|deep space|sea of stars|"
         "interstellar space|"
         "heavens full of galaxies|solar system|constellations|void between the stars|andromeda|galaxies|stardust|"
         "orion nebula|"
         "cosmic plain|realm of stars|spacewalk",
         "太空|宇宙|银河|星海|星云|星系|外太空|银河系|深空|星际|星辰大海|星座|仙女座|太空深处"),
        ("cosmic|starry|interstellar|galactic|infinite|astral|celestial|boundless",
         "浩瀚的|无垠的|星光的|星际的|无限的|璀璨的"),
        ("among the planets|with nebulae|between galaxies|with a thousand suns far away|far from earth|with stardust|"
         "where astronauts float|with spiral galaxies|beyond the solar system",
         "星云环绕的|远离地球的|行星之间的|群星闪烁的|宇航员漂浮的"),
    ),
}  # fmt: skip
