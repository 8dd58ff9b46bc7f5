"""What the sandbox's people talk about: three practice areas in two languages.

Titles and texts are templates; the braces are filled from the area's `slots` of that language, so that a
few sentences make many different topics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Talk:
    """An area in one language."""

    questions: tuple[tuple[str, str], ...]
    answers: tuple[str, ...]
    articles: tuple[str, ...]
    paragraphs: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    tags: tuple[str, ...]
    talk: Mapping[str, Talk]


BEES = Area(
    "Beekeeping",
    ("bees", "hives", "honey", "varroa", "swarming", "beginners"),
    {
        "en": Talk(
            questions=(
                (
                    "Is it too early to open the {hive} {when}?",
                    "The bees in my {hive} were flying at noon. I would like to check the stores {when},"
                    " but I am afraid of chilling the brood. What temperature do you wait for?",
                ),
                (
                    "Mites on the board {when}",
                    "I counted {count} mites in three days under my {hive}. Is that a reason to treat {when},"
                    " or would you wait?",
                ),
                (
                    "How do you keep a {hive} from swarming?",
                    "Last year two of my colonies left. I have one {hive} that is already full {when}. Do you"
                    " split early or only take out the queen cells?",
                ),
                (
                    "Honey that crystallises in the {hive}",
                    "Some frames of the {hive} are solid {when}. Can I give them back to the bees?",
                ),
                (
                    "Moving a {hive} across the garden",
                    "I must move my {hive} about {count} metres {when}. Step by step, or far away first?",
                ),
                (
                    "Install a screened bottom on a {hive}",
                    "I bought a screened bottom for the {hive}. Should it stay open {when}?",
                ),
            ),
            answers=(
                "I wait for two days in a row above twelve degrees and then I only lift one side.",
                "Weigh it instead of opening it; a luggage scale under the {hive} tells you enough.",
                "Count again after a week. Below {count} I would not do anything {when}.",
                "Split it. You can always unite the colonies in autumn.",
                "With a {hive} I had the same thing {when}; a second super solved it.",
                "Ask your local inspector before you treat, the rules differ from place to place.",
                "Take out every second frame, put in foundation and look again after nine days.",
            ),
            articles=(
                "Wintering a {hive}",
                "Counting mites",
                "Making a split",
                "Feeding {when}",
                "Plants for bees",
            ),
            paragraphs=(
                "A strong colony needs about fifteen kilograms of stores for the winter.",
                "Check the weight of the {hive} every two weeks and write it down.",
                "Work slowly, use little smoke, and close the {hive} again within ten minutes.",
                "Our group lends a scale and two extractors to members; see the list of tools.",
                "What we tried {when}: narrower entrances, an insulated lid, no feeding after frost.",
            ),
            slots={
                "hive": ("top-bar hive", "Dadant hive", "nucleus box", "Langstroth hive", "Layens hive"),
                "when": (
                    "in March",
                    "before the lime trees bloom",
                    "after a cold week",
                    "in late summer",
                    "before winter",
                    "this week",
                ),
                "count": ("seven", "twelve", "twenty", "thirty", "fifty"),
            },
        ),
        "it": Talk(
            questions=(
                (
                    "È troppo presto per aprire l'{hive} {when}?",
                    "Oggi a mezzogiorno le api volavano. Vorrei controllare le scorte {when}, ma ho paura di"
                    " raffreddare la covata. Che temperatura aspettate?",
                ),
                (
                    "Acari sul fondo {when}",
                    "Ho contato {count} acari in tre giorni sotto la mia {hive}. Conviene trattare {when}?",
                ),
                (
                    "Come evitate la sciamatura?",
                    "L'anno scorso due famiglie se ne sono andate. La mia {hive} è già piena {when}: dividete"
                    " presto o togliete solo le celle reali?",
                ),
                (
                    "Miele cristallizzato nell'{hive}",
                    "Alcuni telaini sono duri {when}. Posso ridarli alle api?",
                ),
            ),
            answers=(
                "Io aspetto due giorni sopra i dodici gradi e alzo solo un lato.",
                "Pesala invece di aprirla: una bilancia da valigie basta.",
                "Riconta dopo una settimana. Sotto {count} non farei niente {when}.",
                "Dividi: in autunno puoi sempre riunire le famiglie.",
                "Con la mia {hive} è successo lo stesso {when}; un secondo melario ha risolto.",
            ),
            articles=("Invernamento dell'{hive}", "Contare gli acari", "Piante per le api"),
            paragraphs=(
                "Una famiglia forte ha bisogno di circa quindici chili di scorte per l'inverno.",
                "Controllate il peso dell'{hive} ogni due settimane e annotatelo.",
                "Lavorate con calma, con poco fumo, e richiudete entro dieci minuti.",
            ),
            slots={
                "hive": ("arnia Dadant", "arnia orizzontale", "arnia Layens", "arnia didattica"),
                "when": ("a marzo", "prima dell'inverno", "dopo una settimana fredda", "a fine estate"),
                "count": ("sette", "dodici", "venti", "trenta"),
            },
        ),
    },
)

BIKES = Area(
    "Bicycle repair",
    ("bicycles", "brakes", "gears", "wheels", "tools", "workshop"),
    {
        "en": Talk(
            questions=(
                (
                    "My {bike} clicks {when}",
                    "Since Monday my {bike} makes a clicking noise {when}. I greased the {part}, and it is"
                    " still there. Where would you look next?",
                ),
                (
                    "Which {part} fits an old {bike}?",
                    "The {part} of my {bike} is worn out and the old size is not sold now. What did you use?",
                ),
                (
                    "Brake squeals {when}",
                    "I cleaned the rim and the {part}, but the {bike} still squeals {when}. New pads?",
                ),
                (
                    "Install a dynamo on a {bike}",
                    "How do you lead the cable past the {part}? I would like to install it before winter.",
                ),
                (
                    "Tool for the {part}",
                    "Is there a way to take off the {part} of a {bike} without the special tool?",
                ),
                (
                    "Is this {part} safe to ride?",
                    "There is a fine line in the {part} of my {bike}. I see it {when}. Crack or scratch?",
                ),
            ),
            answers=(
                "Check the bolts of the {part} first; nine times out of ten it is that.",
                "Ride without touching the saddle. If the noise {when} is gone, it is the seat post.",
                "We have three of these in the workshop, come by on Thursday and try them.",
                "Toe the pads in by the thickness of a card, then it stops.",
                "Do not ride it until somebody has looked at the {part} in daylight.",
                "On my {bike} a drop of oil on the {part} was enough.",
                "Measure twice: old threads look the same and are not.",
            ),
            articles=("Truing a wheel", "Finding a noise {when}", "The {part} of a {bike}", "Workshop rules"),
            paragraphs=(
                "Clean before you measure, and measure before you buy.",
                "The {part} of a {bike} is held by two bolts; loosen both by half a turn.",
                "Write on the board what you took from the workshop.",
                "A noise {when} often comes from another place than where you hear it.",
                "Used parts are in the grey boxes, sorted by thread.",
            ),
            slots={
                "bike": (
                    "city bike",
                    "cargo bike",
                    "folding bike",
                    "touring bike",
                    "children's bike",
                    "tandem",
                ),
                "when": ("uphill", "in the rain", "when I brake", "only in second gear", "after washing it"),
                "part": ("bottom bracket", "chainring", "headset", "freewheel", "crank", "brake lever"),
            },
        ),
        "it": Talk(
            questions=(
                (
                    "La mia {bike} fa rumore {when}",
                    "Da lunedì la mia {bike} scricchiola {when}. Ho ingrassato il {part}, ma non è cambiato"
                    " niente. Dove guardereste?",
                ),
                (
                    "Quale {part} per una vecchia {bike}?",
                    "Il {part} è consumato e la misura vecchia non si trova più. Che cosa avete montato?",
                ),
                (
                    "Il freno fischia {when}",
                    "Ho pulito il cerchio e il {part}, ma fischia ancora {when}. Pattini nuovi?",
                ),
                (
                    "Attrezzo per il {part}",
                    "Si può smontare il {part} di una {bike} senza l'attrezzo speciale?",
                ),
            ),
            answers=(
                "Controlla prima le viti del {part}: di solito è quello.",
                "In officina ne abbiamo tre, passa giovedì e prova.",
                "Inclina i pattini dello spessore di una carta e smette.",
                "Non usarla finché qualcuno non ha guardato il {part} alla luce.",
                "Sulla mia {bike} è bastata una goccia d'olio.",
            ),
            articles=("Centrare una ruota", "Regole dell'officina", "Il {part}"),
            paragraphs=(
                "Prima si pulisce, poi si misura, poi si compra.",
                "Scrivete sulla lavagna che cosa avete preso dall'officina.",
                "I pezzi usati sono nelle scatole grigie, divisi per filetto.",
            ),
            slots={
                "bike": ("bici da città", "bici da carico", "pieghevole", "bici da viaggio"),
                "when": ("in salita", "con la pioggia", "quando freno", "dopo il lavaggio"),
                "part": ("movimento centrale", "mozzo", "manubrio", "deragliatore"),
            },
        ),
    },
)

DATA = Area(
    "Open data",
    ("data", "maps", "licences", "csv", "transport", "installation"),
    {
        "en": Talk(
            questions=(
                ("Where is the {set} of {place}?",
                 "I am looking for the {set} of {place} in a form that I can join with the census. Does the"
                 " city publish it, or must it be asked for?"),
                ("The {set} has two rows for each {unit}",
                 "After the update of {place} every {unit} is there twice, with different codes. Which one"
                 " do you keep?"),
                ("Licence of the {set}",
                 "May we publish a map made from the {set} of {place}? The page names no licence."),
                ("Install the importer for the {set}",
                 "The setup stops at the third step with a wrong encoding. Has anybody imported the {set} of"
                 " {place} this year?"),
                ("How often is the {set} updated?",
                 "The file of {place} says daily, but the newest {unit} is from last spring."),
                ("Dates in the {set}",
                 "Some dates of {place} are day first, others month first. How do you tell them apart?"),
            ),
            answers=(
                "Write to the office for statistics, they sent me the {set} within a week.",
                "Keep the row with the longer code, the other is the old key of the {unit}.",
                "Without a licence you may not. Ask, they usually add one.",
                "Open it as Latin-1, then the importer goes through.",
                "There is a second file with the changes only; join by {unit}.",
                "The daily file is there, but under another address since the move of {place}'s portal.",
                "We wrote a small script for that, it is linked from the wiki.",
            ),
            articles=("The {set} of {place}", "Asking for data", "Codes of a {unit}", "Licences in short"),
            paragraphs=(
                "The {set} of {place} has one row for each {unit}.",
                "Who asks politely for a licence usually gets one within two weeks.",
                "Always keep the original file beside the cleaned one.",
                "Known faults: doubled codes, mixed dates, one column without a name.",
                "The importer reads the {set} and says which rows it leaves out.",
            ),
            slots={
                "set": ("bus timetable", "tree register", "list of schools", "budget", "air quality series"),
                "place": ("Northbridge", "Lakeside", "Oldport", "Hill Valley", "Marsh End"),
                "unit": ("stop", "district", "street", "tree", "school"),
            },
        ),
        "it": Talk(
            questions=(
                ("Dove si trova il {set} di {place}?",
                 "Cerco il {set} di {place} in una forma che si possa unire al censimento. È pubblico o va"
                 " richiesto?"),
                ("Il {set} ha due righe per ogni {unit}",
                 "Dopo l'aggiornamento di {place} ogni {unit} compare due volte. Quale tenete?"),
                ("Licenza del {set}",
                 "Possiamo pubblicare una mappa fatta con il {set} di {place}? La pagina non dice niente."),
                ("Installazione dell'importatore",
                 "Si ferma al terzo passo per la codifica. Qualcuno ha importato il {set} di {place}?"),
            ),
            answers=(
                "Scrivi all'ufficio statistica: a me hanno mandato il {set} in una settimana.",
                "Tieni la riga con il codice più lungo, l'altra è la chiave vecchia.",
                "Senza licenza no. Chiedi, di solito la aggiungono.",
                "Aprilo come Latin-1 e l'importatore va avanti.",
                "C'è un secondo file con le sole modifiche.",
            ),
            articles=("Il {set} di {place}", "Chiedere i dati", "Licenze in breve"),
            paragraphs=(
                "Il {set} di {place} ha una riga per ogni {unit}.",
                "Tenete sempre il file originale accanto a quello pulito.",
                "Errori noti: codici doppi, date miste, una colonna senza nome.",
            ),
            slots={
                "set": ("orario degli autobus", "registro degli alberi", "bilancio", "elenco delle scuole"),
                "place": ("Borgonuovo", "Lagochiaro", "Portovecchio", "Pian del Colle"),
                "unit": ("fermata", "via", "scuola", "zona"),
            },
        ),
    },
)  # fmt: skip

AREAS = (BEES, BIKES, DATA)
