"""Words and sentence patterns, in four languages. Data only.

In a pattern ``$X`` stands for a word of class X. Runs of literal words are kept short, so that two
texts share a longer run only where one was copied from the other.
"""

from __future__ import annotations

LANGUAGES: tuple[str, ...] = ("en", "es", "de", "zh")

LANGUAGE_SHARES: tuple[float, ...] = (0.79, 0.08, 0.07, 0.06)
"""For every persona alike: language tells nothing."""

SYLLABLES: str = """
ba be bi bo bra ca ce cho cla da del di dor dra el en er fa fen fi fla ga gan ge gri ha hel hi
ho il in ja jo ka kel ki kor la len li lo lu ma mar me mi mon mu na nel ni nor o or pa pel pi
por qui ra ren ri ro ru sa sel shi sol sta su ta tel ti tor tri u ul va vel vi vor wa wen wi xa
xe ya yen yo za zel zi zor
"""

STEMS: dict[str, str] = {
    "en": """
bar bel ben bram cal can cor cran dal dor dun fal fen fer gal gar gil har hel ker lan lar lin lor
mal mar mel min mor nal ner nor pal pel per pol quin ral ran ril rol sal san sel sil sol tal tar
tel til tor val van ver vil wen wil zan zel
""",
    "es": """
ba be bo bra ca ce co cha da de di do fa fi flo ga go gra ja la le lo lla ma me mi mo na ne no
pa pe pla po que ra re ri ro sa se so ta te tre tu va ve vi za zo ñe ñi
""",
    "de": """
acht bach bel ber blen brun dach del dorn eck ems fel fin gel gor grau hal hei hol kel ker kol
lau lin loh mel mer mul nach nel ohr pel pfan rau reb ruh sal schel sil stoß tal tel trau ver wal
wei wol zell zim
""",
    "zh": """
云 石 木 水 火 金 土 风 雨 山 海 江 林 田 竹 松 梅 兰 桥 塔 车 船 灯 钟 铁 铜 银 玉 纸 布 丝 线 瓦 砖 墙 门
院 楼 台 井 泉 溪 岸 洲 岭 谷 峰 坡 路 巷 街 坊 箱 柜 盒 瓶 罐 盘 杯 镜 刀 针 钉 轮 轴 杆 板 条 片 块
""",
}
"""Syllables from which each language's rarer words are invented."""

ENDINGS: dict[str, dict[str, str]] = {
    "en": {
        "N": "- et ing age or el",
        "A": "ish al ous ic en y",
        "V": "ed ated ened",
        "I": "ate en ify -",
    },
    "es": {"N": "os as ores ines", "A": "os ales osos ivos", "V": "aron ieron", "I": "ar er ir"},
    "de": {"N": "e en er ungen", "A": "en igen lichen", "V": "te ierte", "I": "en ieren eln"},
    "zh": {"N": "- 器 物 具", "A": "的 色的 状的", "V": "了 化了 成了", "I": "- 化 成"},
}
"""What invented words of a class end in; ``-`` is nothing."""

_EN_NOUNS = """
archive anchor apron balcony barrel basket battery beacon bearing bicycle blanket boiler bridge
broom bucket budget buffer cabinet cable calendar camera canal candle canvas carpet carriage cellar
ceramic chapel charter chimney circuit clinic clock cloth cluster coastline collar column compass
concrete contract copper corridor cotton counter courtyard cradle crane crate curtain cushion cycle
dam deck depot desert diagram dial dispute ditch dock drawer drill dune dust easel echo elevator
embankment engine envelope estuary fabric factory fence ferry fibre field filter flask floor flute
foam forecast forest forge fountain frame freight furnace gallery garden gasket gauge glacier glaze
grain granary gravel greenhouse grid grove gutter hammer hangar harbour harvest hatch hedge helmet
hinge hive horizon hull hydrant index ingot inlet invoice island jar jetty journal kettle keyboard
kiln kitchen ladder lagoon lamp lantern latch lathe laundry lease ledger lens letter lever library
lighthouse limestone linen locker loom magnet mailbox manual map marble market mast meadow membrane
meter mill mineral mirror module moss motor mould mural needle nest notebook nozzle oar oasis
orchard oven paddle pamphlet panel parcel parlour pasture patent pavement pebble pedal pendulum
permit pier pigment pillar pipe piston pitcher plank plaster platform plaza plough pocket podium
pollen pond porch portrait pottery prism projector pulley pump quarry quilt rack radiator rail
rampart receipt recipe reef reel refuge register relay reservoir resin ridge river roof rope rotor
route rudder saddle sail salary salt sample sandbar satchel scaffold scale screen script sculpture
sediment seed sensor shaft shelf shelter shutter sieve signal silo sketch slate sleeve slope socket
soil spindle spool spring stable stadium stairway statute steam stencil stove strait stream studio
summit survey swamp switch syllabus tablet tank tariff telescope tenant terrace textile theatre
thermostat thread threshold ticket tile timber toolbox torch tower track tractor trail transcript
tray treaty trellis tripod trolley trough tunnel turbine tutorial valley valve varnish vault
vehicle veil verdict vessel viaduct village vineyard violin voucher wagon wardrobe warehouse
warrant weaver well wharf wheel willow winch window workshop yarn
"""

_EN_ADJECTIVES = """
abandoned adjacent ancient annual arched austere awkward balanced barren bitter blunt brittle broad
bulky calm careful central cheap circular clumsy coarse coastal compact complete costly crooked
crowded curious damaged damp deep delicate dense distant domestic double drafty dry durable dusty
early elaborate empty enclosed enormous essential faded faint famous fertile final flat flexible
flooded foggy formal fragile frequent fresh frozen gentle gloomy granular graceful hasty heavy
hidden hollow humble icy idle improvised inland intact jagged joint keen late leaky level local
loose loud lower lucrative mechanical mild minor missing modest moist muddy muted narrow neat
neglected new noisy northern odd older open ordinary outdated outer overdue painted pale parallel
partial patient peculiar plain polished portable private prompt proud provisional public quiet
ragged rapid rare raw regional reliable remote repaired rigid ripe robust rough round rural rustic
rusty salty scarce seasonal secluded separate shallow sharp shiny silent simple slender slippery
slow smooth soft solid sparse spare stable steep sturdy subtle sudden sunken tall temporary thick
thin tidy tilted tough typical uneven unusual upper urban urgent vacant vague vast vertical
vibrant warm weathered western wide wild windy wooden worn
"""

_EN_VERBS = """
absorbed adjusted altered amended anchored appraised approved arranged assembled audited balanced
blocked borrowed bought braced built carried catalogued charted checked cleaned closed collected
combined compared completed connected copied corrected counted covered crossed cut damaged dated
delayed delivered described designed discarded displayed divided drained drew examined exchanged
expanded exported extended favoured filled finished fixed folded followed found funded gathered
governed graded guarded guided handled heated hid hoisted imported improved inherited inspected
installed insured joined kept labelled launched leased lifted limited listed loaded located lost
lowered maintained managed marked measured mended merged mixed moved noticed obtained opened
ordered outlined packed painted patched planned planted polished postponed predicted prepared
preserved printed processed protected published pulled pushed raised ranked rebuilt received
recorded recovered reduced refused released removed renamed rented repaired replaced reported
rescued reserved restored returned reversed reviewed revised rotated routed sampled scheduled
sealed searched secured selected separated served shaped shared shifted signed simplified skipped
sold sorted stacked stored strengthened studied supplied supported surrounded surveyed suspended
tested tied tightened traced traded trimmed turned unloaded updated used valued verified visited
warmed washed watched weighed widened wrapped
"""

_EN_INFINITIVES = """
adjust analyse approve arrange assemble assess balance borrow build calibrate catalogue clean
combine compare compute connect convert correct count cover deliver describe design detect divide
draft drain estimate evaluate examine expand explain export extend filter find fix fold handle heat
import improve inspect install invert join label launch lift limit list locate lower maintain
manage map mark measure mend merge mix model move observe open optimise order outline pack paint
parse plan plant polish predict prepare preserve print protect prove publish rank rebuild record
recover reduce refine release remove rename rent repair replace report reserve restore review
revise rotate route sample schedule seal search select separate serve shape share ship simplify
sketch solve sort split stabilise store strengthen summarise supply support survey test tighten
trace translate trim tune unload update validate verify weigh widen wrap
"""

_EN_ADVERBS = """
again afterwards alone annually barely beforehand briefly carefully cheaply daily deliberately
early elsewhere eventually evenly formally gently gradually halfway hourly indoors instead largely
lately later locally mostly nearby neatly nightly openly outdoors overnight partly patiently
poorly promptly quietly rarely repeatedly safely secretly seldom separately sharply slowly smoothly
somewhere soon steadily suddenly thoroughly together twice upstairs upstream usually weekly
"""

_EN_PEOPLE = """
accountant actor apprentice architect archivist astronomer author baker barber beekeeper biologist
blacksmith botanist brewer broker builder butcher captain caretaker carpenter cashier chemist clerk
cobbler composer conductor cook courier curator dancer dealer dentist designer diver doctor driver
economist editor electrician engineer farmer firefighter fisher florist forester gardener geologist
glazier grocer guide historian hunter innkeeper inspector janitor jeweller joiner judge keeper
landlord lawyer lecturer librarian locksmith manager mason mechanic merchant messenger midwife
miller miner musician navigator neighbour notary nurse optician painter pharmacist photographer
physicist pilot plumber poet porter postman potter printer producer programmer ranger roofer sailor
sculptor secretary shepherd singer statistician surgeon surveyor tailor teacher technician tiler
trader translator treasurer typist usher veterinarian violinist waiter watchmaker weaver welder
"""

_EN_LINKS = """
although because before but once since though unless until whereas whenever where while
"""

_EN_SUBJECTS = """
accounting acoustics agriculture algebra anatomy archaeology architecture astronomy bookkeeping
botany calculus carpentry cartography ceramics chemistry chess climatology combinatorics cooking
cryptography dance demography dentistry ecology economics electronics epidemiology ethics
forestry gardening genetics geography geology geometry grammar history horticulture hydraulics
insurance joinery journalism knitting law linguistics literature logic logistics mechanics
medicine metallurgy meteorology music navigation nutrition optics painting philosophy phonetics
photography physics poetry politics probability programming psychology robotics sailing sociology
statistics surveying taxation thermodynamics topology tourism typography weaving zoology
"""

_ES_NOUNS = """
almacenes anillos arboles archivos arcos barcos barrios bosques botes caminos campos canales
carros cables castillos cepillos cestos clavos colores contratos cuadernos cuadros cultivos
dibujos documentos edificios engranajes ensayos espejos estantes estanques frascos frutos faroles
ganchos granos hilos hornos huertos informes jardines ladrillos lagos libros lienzos manteles
mapas mercados metales molinos motores muelles muros papeles parques pasillos pedidos planos
platos postes pozos precios puentes puertos recibos relojes rios rollos sacos sellos senderos
sensores techos tejados telares textos tornillos trenes tubos vagones valles vasos veleros
vestidos viajes vidrios
"""

_ES_ADJECTIVES = """
altos amplios antiguos azules bajos baratos blandos breves caros cercanos claros comunes cortos
curvos delgados densos dorados duros enormes escasos estrechos extensos fijos finos firmes
fuertes grandes graves humildes largos lentos leves libres lisos locales nuevos oscuros pesados
planos pobres profundos propios raros redondos remotos rotos rurales secos sencillos solidos
suaves sueltos tibios tranquilos urbanos vacios viejos visibles
"""

_ES_VERBS = """
alcanzaron ampliaron anotaron bajaron buscaron cambiaron cerraron comprobaron copiaron cortaron
cruzaron cubrieron describieron dibujaron dividieron encontraron entregaron enviaron escribieron
estudiaron evitaron explicaron guardaron hallaron juntaron lavaron levantaron limpiaron llenaron
marcaron midieron mezclaron mostraron movieron ordenaron perdieron pesaron pintaron probaron
quitaron recibieron recogieron repararon revisaron sacaron sellaron siguieron sumaron trajeron
unieron vendieron visitaron
"""

_ES_INFINITIVES = """
ajustar ampliar anotar bajar buscar calcular cambiar cerrar comparar comprobar copiar cortar
cruzar cubrir describir dibujar dividir elegir encontrar entender entregar enviar escribir
estimar estudiar evitar explicar guardar juntar limpiar llenar medir mejorar mezclar mostrar
mover ordenar pesar pintar planear probar quitar recoger reparar resumir revisar sellar sumar
traducir unir vender
"""

_DE_NOUNS = """
Anker Balken Becher Berichte Boote Briefe Bücher Brunnen Dächer Drähte Eimer Fabriken Farben
Felder Fenster Filter Flaschen Flüsse Formen Gärten Gebäude Geräte Gläser Gleise Gruben Häfen
Hallen Hebel Höfe Hügel Inseln Kabel Kanäle Karten Kessel Ketten Kisten Körbe Kräne Lager Lampen
Leitern Linsen Listen Märkte Maschinen Masten Mauern Messer Möbel Mühlen Muster Nadeln Netze Öfen
Pfade Pflanzen Pläne Platten Proben Pumpen Quellen Räder Rahmen Regale Rohre Säcke Schalter
Schiffe Schilde Schrauben Segel Seile Sensoren Siebe Speicher Spiegel Stege Steine Stoffe Straßen
Tafeln Täler Teiche Teller Texte Tische Töpfe Treppen Türme Uhren Ufer Ventile Verträge Wagen
Wälder Werkstätten Wiesen Zäune Ziegel Zimmer
"""

_DE_ADJECTIVES = """
alten billigen blauen breiten dichten dünnen dunklen einfachen engen ersten fernen festen feuchten
flachen freien frischen frühen ganzen genauen glatten großen grünen harten hellen hohen hölzernen
jungen kalten klaren kleinen kurzen langen langsamen lauten leeren leichten letzten losen milden
nahen nassen neuen offenen reichen ruhigen runden sauberen scharfen schmalen schnellen schweren
seltenen späten stabilen starken steilen stillen tiefen trockenen warmen weichen weiten wilden
"""

_DE_VERBS = """
baute beschrieb bemalte bewegte brachte deckte drehte entfernte erreichte erweiterte fand faltete
füllte heizte hielt hob holte kannte kaufte klebte kopierte leerte leitete lieferte markierte maß
mischte nahm öffnete ordnete packte pflegte plante prüfte reinigte rettete reparierte sah
sammelte schloss schnitt schob schützte senkte sortierte speicherte stapelte suchte tauschte
teilte testete trocknete trug verglich verkaufte verlegte verlor wählte wog zählte zeichnete
zeigte zog
"""

_DE_INFINITIVES = """
bauen berechnen beschreiben bewegen decken drehen entfernen erklären erweitern falten finden
füllen heizen kaufen kleben kopieren leeren leiten liefern markieren messen mischen öffnen ordnen
packen pflegen planen prüfen reinigen reparieren sammeln schätzen schließen schneiden schützen
senken sortieren speichern stapeln suchen tauschen teilen testen trocknen übersetzen vergleichen
verkaufen verlegen wählen wiegen zählen zeichnen
"""

_ZH_NOUNS = """
仓库 桥梁 灯塔 河流 花园 工厂 车站 码头 图书 地图 钟表 窗户
屋顶 水泵 电缆 齿轮 管道 传感器 合同 账单
样本 表格 报告 信件 画布 木材 石材 玻璃 陶器 铁轨 船只 帆布
果园 田野 森林 山谷 岛屿 湖泊 隧道 塔楼
楼梯 走廊 厨房 书架 抽屉 工具 机器 轮子 锅炉 阀门 滤网 镜子
绳索 箱子 篮子 瓶子 种子 土壤 矿石 布料
"""

_ZH_ADJECTIVES = """
古老的 崭新的 狭窄的 宽阔的 安静的 明亮的 昏暗的 坚固的 脆弱的 沉重的 轻便的 潮湿的
干燥的 遥远的 附近的
昂贵的 便宜的 复杂的 简单的 稀少的 常见的 破旧的 光滑的 粗糙的 温暖的 寒冷的 完整的
空荡的 临时的 可靠的
"""

_ZH_VERBS = """
检查了 修理了 测量了 记录了 搬运了 比较了 更换了 打开了 关闭了 收集了 整理了 清洗了
描述了 扩大了 连接了
保存了 出售了 购买了 计算了 设计了 移动了 绘制了 发现了 保护了 拆除了 安装了 调整了
分割了 合并了 标记了
"""

_ZH_INFINITIVES = """
检查 修理 测量 记录 搬运 比较 更换 收集 整理 清洗 描述 扩大
连接 保存 计算 设计 移动 绘制 保护 拆除
安装 调整 分割 合并 标记 解释 估计 翻译 总结 改进
"""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "N": _EN_NOUNS,
        "A": _EN_ADJECTIVES,
        "V": _EN_VERBS,
        "I": _EN_INFINITIVES,
        "D": _EN_ADVERBS,
        "P": _EN_PEOPLE,
        "C": _EN_LINKS,
        "S": _EN_SUBJECTS,
    },
    "es": {"N": _ES_NOUNS, "A": _ES_ADJECTIVES, "V": _ES_VERBS, "I": _ES_INFINITIVES},
    "de": {"N": _DE_NOUNS, "A": _DE_ADJECTIVES, "V": _DE_VERBS, "I": _DE_INFINITIVES},
    "zh": {"N": _ZH_NOUNS, "A": _ZH_ADJECTIVES, "V": _ZH_VERBS, "I": _ZH_INFINITIVES},
    "any": {"N": _EN_NOUNS, "V": _EN_INFINITIVES, "A": _EN_ADJECTIVES},
}
"""Word classes by language, one string of words each: Noun, Adjective, Verb, Infinitive, aDverb,
Person, Conjunction, Subject. Proper names (E) and numbers (#) are made by the grammar."""

PATTERNS: dict[tuple[str, str], str] = {
    ("en", "prose"): """
The $A $N near $E $V our $N $D.
$E's $P $V every $A $N $C the $N stayed $A.
In $#, one $P from $E $V this $N and $V its $A $N.
Some $P $V the $N $D, $C nobody $V $E's $A $N.
Between $E and $E, $A $N is $V by each $P.
Each $N costs $# per $N, $C $A ones cost $#.
My $P says $E $V $A $N $D.
$C the $P $V it, $A $N and $N were $V in $E.
$E $V $# of these $N units; $P and $P $V them $D.
With $A $N, the $P $D $V $E's $N.
Its $N looks $A, yet before lunch $E $V $# $N.
They $V $E's $N $D and $V that $A $N.
Only $A $N remains: $N, $N, plus $E's $N.
Under $E law, $P and $P must $I their $N $D.
Nobody in $E $V $N $# times, $C its $A $N $V.
This $A $N, $V by $E, can $I $# $N parts.
$P by $P, they $V $N at $E.
Another $P, $E, $V the $A $N for $# weeks.
$S students in $E $I $A $N $D.
Some $P named $E $V both $N and $N $D.
Our $N has $# $A parts; $E $V the $N.
After $#, $E's $A $N $V most $S textbooks.
For $S, $A $N matters $C $A $N fails $D.
We $D $I $N with $E's $A $N.
$E, $E and $E $V their $N $D.
""",
    ("en", "question"): """
How can I $I some $A $N when $E $V it $D?
Why would $E's $P $I $A $N $C the $N is $A?
Could you $I my $N notes about $E and $A $S?
What is $E's $A $N in $S, and who $V it?
Is it $A to $I $N with $# $N parts?
Which $N should one $P $I first, $E's or $E's?
Can $S explain how $E $V $A $N $D?
Do $A $N and $N $I alike in $E?
Where did $P $E find $# $A $N?
Who $V $E's $N, and was the $P $A?
How much $N does $E need to $I $# $N?
i need help, $E $V my $N $D and now its $A?
so what does $A $N mean in $S?
Does $E's $N $I better than $A $N?
Any idea why $N number $# is $A $C I $I it?
When should beginners $I $S: before $N or $D?
""",
    ("en", "task"): """
Please $I this $N text for $E's $P.
Write some $A lines where $P $E $V their $N.
$E wants $# ideas: $I $A $N $D, or $N.
$I the $A $N below for $E's $P.
Make this $A, for $P and $P.
Help $E $I one letter about $A $N.
Turn $E's $S notes into $A $N.
Draft $# words on $E's $N, $D.
Fix the $N part, keep $E and $A $N.
Suggest $A names for $E's $N shop.
""",
    ("en", "problem"): """
$E has $# $N boxes and $V $# of them $D.
Every $P in $E $V $# $N pieces per $A $N.
One $A $N holds $# litres; each hour $E $V $#.
Of $# $P applicants, $# know $S and $# know $S.
$E walks $# metres past the $N, then $# beyond $N.
Let f map $# $N to $# $N, with $A $N fixed.
The $N angle is $# degrees, $E's is $#.
If $N sells at $#, $E gains $# percent.
How many $N remain when $E $V $# more?
What fraction of $A $N did $E's $P $I?
Find how long $E needs to $I $# $N.
Prove or refute: $A $N with $# sides can $I $E's $N.
""",
    ("any", "code"): """
def $V_$N($N, limit=$#):
    $N = [$A for $A in $N if $A > $#]
    return $N.$V($A, key=$#)
for $N in range($#, $#): $A_$N += $N * $#
    if $N.$A is None: raise ValueError("$N $#")
class $E($N):
    self.$A_$N = $N or $#
const $N = await $V($A, { $N: $# });
    while $A_$N < $#: $N.$V()
let $A = $N.map($N => $N.$V($#));
    $N["$A"] = $E.$V_$N($#)
SELECT $N, $A FROM $N_$E WHERE $N > $#;
fn $V_$N($N: &str) -> $E { $N.$V($#) }
    log.$V("$A $N: %s", $E_$N)
assert $V_$N($#, "$E") == $#
""",
    ("any", "record"): """
$E;$N;$#;$A;$#
{"$N": "$E", "$A": $#, "$N": "$A $N"}
- $N $#: $E ($A)
$#\t$E\t$N\t$#
$E, $A $N, qty $#, ref $#
$N=$# $A=$E id=$#
""",
    ("es", "prose"): """
Los $N $A de $E $V $# $N.
En $E, muchos $N $V sin $N $A.
Cuando $E y $E $V, quedaban $# $N $A.
Varios $N cuestan $#, pero los $A $V menos.
Desde $#, $E vende $N $A y $N.
Ellos $V $N, $V $N y $V $E.
Los de $E $V los $N más $A.
Para $I $N hacen falta $# $N $A.
""",
    ("es", "question"): """
¿Cómo puedo $I los $N $A de $E?
¿Por qué $E y $E $V $# $N?
¿Conviene $I $N $A antes de $I $N?
¿Cuántos $N hay que $I en $E?
¿Qué significa $I $N según $E?
¿Dónde $V ellos los $N $A?
""",
    ("es", "task"): """
Ayúdame a $I estos $N para $E.
Quiero $I un texto sobre $N $A en $E.
Hay que $I y $I los $N de abajo.
Dame $# ideas para $I $N $A.
""",
    ("es", "problem"): """
$E tiene $# $N y $E le quita $#.
Si $# $N pesan $#, ¿cuánto pesan $# $N?
Los $N $A de $E valen $# cada uno.
¿Cuántos $N faltan si $E $I $#?
""",
    ("de", "prose"): """
Die $A $N von $E $V $# $N.
In $E $V niemand $A $N ohne $N.
Als $E die $N $V, blieben $# $A $N.
Viele $N kosten $#, doch die $A $N mehr.
Seit $# $V $E $A $N und $N.
$E $V $N, $V $N und $V $E.
Wer $A $N in $E $V, braucht $# $N.
Man muss $# $N $I, sagt $E.
""",
    ("de", "question"): """
Wie kann ich $A $N aus $E $I?
Warum $V $E die $# $N?
Sollte man $N $I oder lieber $A $N $I?
Wie viele $N muss $E noch $I?
Was heißt es, $A $N zu $I?
Wo $V $E die $A $N?
""",
    ("de", "task"): """
Bitte hilf mir, $N für $E zu $I.
Ich will $A $N aus $E $I und $I.
Gib mir $# Ideen, um $N zu $I.
Den Text über $A $N bitte $I.
""",
    ("de", "problem"): """
$E hat $# $N und $V $# davon.
Wenn $# $N $# wiegen, was wiegen $# $N?
Die $A $N von $E kosten je $#.
Wie viele $N bleiben, wenn $E $# nimmt?
""",
    ("zh", "prose"): """
$E $V $A $N, 然后 $V $# 个 $N。
在 $E, $A $N 比 $N 更贵, 约 $# 元。
因为 $N 很旧, $E $V $A $N。
$E 和 $E $V $# 个 $A $N。
每个 $N 都要 $I $A $N 才行。
""",
    ("zh", "question"): """
怎样 $I $E 的 $A $N?
为什么 $E $V $# 个 $N?
先 $I $N 还是先 $I $A $N?
$E 需要 $I 多少 $N?
""",
    ("zh", "task"): """
请 $I 关于 $E 的 $A $N。
帮我 $I 下面的 $N, 给 $E 看。
给出 $# 个 $I $A $N 的办法。
""",
    ("zh", "problem"): """
$E 有 $# 个 $N, $E $V $# 个。
若 $# 个 $N 重 $#, 问 $# 个 $A $N 重多少?
求 $E 能 $I 几个 $N。
""",
}
"""Sentence patterns by language and unit. Units that no language has are under ``any``."""
