"""Given names as they are compared, in small Latin letters: what they are short for, and which are in use."""

from functools import cache
from pathlib import Path

_SHORT_FORMS = """
albert: bert al bertie alberto
alejandro: alex ale jandro
alessandro: ale sandro alex
alexander: alex sascha sasha xander lex sandy alec sander alessandro alejandro alexandre aleksandr alexandr
alexandra: alex sandra sascha sasha lexi sandy alejandra alessandra
alexandre: alex
alexis: alex lexi
alfred: alf fred freddie alfredo
alice: ali allie
amanda: mandy manda
andrea: andi andy
andreas: andi andy
andrew: andy drew andi andreas andre
angela: angie
anthony: tony ant antonio antoine anton
antoine: toine tony
antoinette: toinette toni nettie
antonia: toni tonia
antonio: toni tony tono nino anton antoine
arthur: art artie arturo
barbara: barb babs barbie babsi
bartholomew: bart
beatrice: bea trixie beatriz beatrix
beatriz: bea
benjamin: ben benny benji
bernadette: bernie
bernard: bernie bernhard
bernhard: bernd bernie
bill: will willy
bob: rob robbie
brigitte: gitte biggi
bruno: bru
carolina: caro
caroline: caro carrie carolin carolina line
catherine: cathy kate katie cath cat kathy katherine kathryn katharine catarina caterina
charles: charlie chuck chas charley carlos carlo karl
charlotte: charlie lotte lottie charly
christian: chris christo
christina: tina chris chrissie christine kristina
christine: chris tina chrissie chrissy christina kristin kristina
christopher: chris kit topher christoph christophe cristobal
clemens: clem
concepcion: concha conchita
cynthia: cindy
daniel: dan danny dani
daniela: dani
david: dave davy
deborah: debbie deb debora
dolores: lola loli
dominic: dom nick dominik
dominique: dom
dorothy: dot dottie dolly dorothea
eduardo: edu lalo
edward: ed eddie ted ned teddy eddy eduard eduardo
eleanor: ellie nell nora ella
elisabeth: lisa lisbeth sisi elli liesel betty lisl elise
elizabeth: liz lizzie beth betty libby eliza bess elsie lisa elisabeth
emanuel: manuel manu emmanuel
emily: em emmy millie
emmanuel: manu manuel manny
enrique: quique kike
ernest: ernie ernst ernesto
eugene: gene eugen
evelyn: eve evie
florence: flo flossie
florian: flo flori
frances: fran fanny frankie francesca francoise
francesca: fanny franca checca
francesco: franco checco
francis: frank fran
francisco: paco pancho fran curro kiko
franziska: franzi
frederick: fred freddie freddy rick frederic federico friedrich
friedrich: fritz fred friedel
gabriel: gabi gabe
gabriela: gabi
gabriele: gabi lele
geoffrey: geoff jeff
george: georgie georg georges jorge giorgio
gerald: gerry jerry
gerard: gerry gerardo gerhard
gertrude: trudy trude gerti
gilbert: gil bert gilberto
giovanni: gianni vanni nanni
giuseppe: beppe peppe pino
gregory: greg gregor
guadalupe: lupe lupita
guillermo: memo guille
gustavo: gus tavo
harold: hal harry
heinrich: heinz heiner
helen: nell ellen helena helene elena
henry: harry hank hal henri enrique heinrich
howard: howie
hubert: hub hubi
ignacio: nacho
isabel: isa bel isabella isabelle
isabella: bella izzy isa
isabelle: isa
jacob: jake jakob
jacqueline: jacky jackie
james: jim jimmy jamie jem
jane: janie janet
jean: jeannot
jeffrey: jeff
jennifer: jen jenny jenn
jeremy: jerry jem
jessica: jess jessie
jesus: chus chuy
joachim: achim jochen
johannes: hannes hans jo
john: jack johnny jon johan juan giovanni
jonathan: jon jonny
jose: pepe chepe
josefa: pepa
joseph: joe joey jo josef jose giuseppe
josephine: jo josie
joshua: josh
juan: juanito
judith: judy judi
julia: jules
julian: jules
juliane: jule
karl: kalle
karoline: karo
katharina: kathi katja kati trina kathe
katherine: kate kathy katie kat kitty
kenneth: ken kenny
konstantin: kosta
lawrence: larry laurie laurence
leonard: leo lenny len leonardo
leopold: leo poldi
lorenzo: renzo
louis: lou ludwig luis
louise: lou lulu
lucia: lucy lu
ludwig: lutz wiggerl
luigi: gigi
madeleine: mado maddie
magdalena: lena magda
manuel: manolo manu
manuela: manu
margaret: maggie meg peggy peggie madge marge margie greta rita daisy marguerite margarita margarethe
margarete: grete gretel gretchen
marguerite: margot
maria: mia mitzi marie mary mari
marie: mimi mary maria
martha: marty
martin: marty martino
mathilde: tilda tilly
matthew: matt matty mathieu matthias
matthias: matze hias
maxime: max
maximilian: max maxi
melanie: mel mela
michael: mike micky mick michi mickey mikey michel miguel
michelle: shelly
mohammed: mo
montserrat: montse
natalie: nat nathalie
nathaniel: nate nathan nat
nicholas: nick nicky nicolas nikolaus
nicolas: nico nick
nicole: nicky nikki
nikolaus: klaus niko
oliver: olli ollie
olivia: liv livvy
pamela: pam
patricia: pat patty tricia trish pati
patrick: pat paddy patricio
paul: pablo paolo
pavel: pasha
peggy: meg maggie
peter: pete pedro pierre pietro
philip: phil pip philippe felipe phillip
rafael: rafa raphael
ramon: moncho
raymond: ray raimund
rebecca: becky bec
reinhard: reini
richard: rick dick rich ricky richie ricardo riccardo
robert: bob rob bobby robbie bert roberto
roderick: rod
roland: rolli
ronald: ron ronnie
rosario: charo
salvador: salva
salvatore: toto turi
samantha: sam
samuel: sam sammy
sarah: sara sally sadie
sebastian: basti seb bastian sebas sebastien
sergio: checho
silvia: silvie
simon: si
sophie: sofia sophia
stanislav: stas
stephanie: steph steffi stefanie
stephen: steve steven stephan stefan
steven: steve
susan: sue susie suzy susanna susanne
susanne: susi sanne susi
teresa: tere teri
theodore: theo ted teddy theodor
theresa: terry tess resi teresa therese
thomas: tom tommy tomas tommaso
timothy: tim timmy
tobias: tobi toby
ursula: uschi ulla
valerie: val
vicente: chente
victor: vic viktor
victoria: vicky tori vicki
vincent: vince vinnie vincenzo vicente
virginia: ginny
vladimir: vova volodya
walter: walt walti
wilhelm: willi willy
william: bill will billy willy liam guillaume guillermo
wolfgang: wolf wolfi
yevgeny: zhenya
zachary: zach zack
"""
"""Names, and what their bearers are called as well: short forms, and the same name in other languages; those that no spelling
distance finds."""

_SPELLINGS = """
abdullah abdallah abdulla abdalla
ahmed ahmad ahmet achmed
aisha ayesha aicha aysha aishah ayse
alexander aleksandr alexandr oleksandr aliaksandr alyaksandr aleksander
aleksei alexey alexei aleksey oleksii oleksiy aliaksei
anastasia anastasiya anastasiia
andrei andrey andrii andriy andrej
dmitry dmitri dmitriy dmitrii dimitri dmytro dzmitry
ekaterina yekaterina kateryna
elena yelena olena
evgenia yevgenia evgeniya yevheniia
fatima fatma fatimah fatema
hamid hameed
hassan hasan hassane
hussein husain hussain hossein husayn
ibrahim ebrahim ibraheem
ilya ilia illia
ismail ismael ismaeel
jamal gamal djamal jamaal
julia yulia iuliia yuliya iulia
karim kareem kerim
khadija khadijah khadidja
khalid khaled
ksenia xenia kseniya kseniia
leila layla laila leyla
mahmoud mahmud mehmood mahmood
maryam mariam maryem meryem
mikhail mihail mykhailo michail
mohammed muhammad mohammad mohamed muhammed mohamad muhamad mehmet mohd mhd md
mustafa mostafa moustafa mustapha
natalia nataliya natalya nataliia natalja
nikolai nikolay nikolaj mykola
nour noor nur
olga olha volha
omar umar omer oumar
osama usama oussama
rashid rasheed rachid
said saeed saeid
salim selim saleem
sergei sergey serhii serhiy sergej siarhei
sofia sofiya sofya sofiia
tatiana tatyana tetiana tatjana
vladimir volodymyr wladimir uladzimir
vyacheslav viacheslav
yasmin yasmine yasmeen jasmin
yevgeny evgeny evgeniy yevgeniy evgenii yevhen
yousef yusuf youssef yousuf yusef
yuri yury iurii yuriy juri
zainab zaynab zeinab zeynep
"""
"""Names that are written in Latin letters in several ways, in a line each."""


def _names_of() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in _SHORT_FORMS.split("\n")[1:-1]:
        name, forms = line.split(": ")
        for form in forms.split():
            found.setdefault(form, set()).add(name)
    return found


_NAMES_OF = _names_of()
"""Of each form the names that it stands for."""
_WRITTEN = [line.split() for line in _SPELLINGS.split("\n")[1:-1]]
_SPELT = {spelling: spellings[0] for spellings in _WRITTEN for spelling in spellings}
"""Of each spelling of a name the first one."""


def also_called(word: str) -> set[str]:
    """What a folded name of one word is short for, its own short forms, and how else it is spelt."""
    name = _SPELT.get(word, word)
    spellings = {spelling for spelling, first in _SPELT.items() if first == name}
    forms = {form for form, names in _NAMES_OF.items() if name in names or word in names}
    return (_NAMES_OF.get(word, set()) | _NAMES_OF.get(name, set()) | forms | spellings) - {word}


def stands_for(word: str) -> set[str]:
    """A folded name of one word, and all that it may be short for or a spelling of: two that `are_one_name` share one of these."""
    name = _SPELT.get(word, word)
    return {word, name} | _NAMES_OF.get(word, set()) | _NAMES_OF.get(name, set())


def is_form(given: str) -> bool:
    """Whether the first word of a folded given name stands for another name as well, or is one of its spellings."""
    word = first_word(given)
    return word in _NAMES_OF or word in _SPELT


@cache
def _given_names() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("given_names.txt").read_text(encoding="ascii").split())


def is_given_name(text: str) -> bool:
    """Whether a folded word is a given name in use somewhere.

    Source:
        US Census Bureau (1990), names by frequency (public domain); the names of Faker (MIT), in Latin letters, of all its
        languages.
    """
    return text in _given_names()


@cache
def initials_of(name: str) -> frozenset[str]:
    """The letters that begin a folded name of one word, and what it is called as well."""
    return frozenset(form[:1] for form in (name, *also_called(name)))


def first_word(given: str) -> str:
    return given.split(" ", 1)[0]


def are_one_name(a: str, b: str) -> bool:
    """Whether two folded names of one word are one: two spellings, a form and its name, or two forms of which one begins the other.

    Chris is Christina or Christopher, who are two; Ella and Nora may both be Eleanor, and are two as well.
    """
    return _are_one(a, b) or _are_one(_SPELT.get(a, a), _SPELT.get(b, b))


def _are_one(a: str, b: str) -> bool:
    of_a, of_b = _NAMES_OF.get(a, set()), _NAMES_OF.get(b, set())
    if a == b or b in of_a or a in of_b:
        return True
    return (a.startswith(b) or b.startswith(a)) and not of_a.isdisjoint(of_b)
