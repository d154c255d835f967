"""What the invented communities are about: subjects with words, products and needs of their own. Data, nothing else.

A need is written twice, as it follows "a way to" and as it follows "an app for". Every product, person and place is invented.
"""

from __future__ import annotations

from typing import NamedTuple


class Need(NamedTuple):
    """Something the people of a subject want done."""

    do: str
    doing: str


class Subject(NamedTuple):
    """A subject, with the words its people use; the frequent ones first."""

    topic: str
    people: str
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    """Past tense, transitive."""
    adjectives: tuple[str, ...]
    products: tuple[str, ...]
    needs: tuple[Need, ...]


def words(text: str) -> tuple[str, ...]:
    """Take a text apart into its words."""
    return tuple(text.split())


def _subject(names: str, nouns: str, verbs: str, adjectives: str, *needs: str) -> Subject:
    """Read a subject from words; a need is ``do / doing``, ``names`` is ``topic / people / four products``."""
    topic, people, products = names.split(" / ")
    wants = tuple(Need(*need.split(" / ")) for need in needs)
    return Subject(topic, people, words(nouns), words(verbs), words(adjectives), words(products), wants)


TRADES: tuple[Subject, ...] = (
    _subject(
        "beekeeping / Beekeepers / HiveLedger Combly ApiaryDesk Smokerly",
        "hive queen brood frame swarm smoker nectar honey colony mite super foundation veil drone comb entrance feeder syrup nuc apiary"
        " propolis extractor wax inspection varroa forager",
        "inspected requeened split fed treated hived overwintered smoked extracted relocated",
        "capped queenless bearded weak strong honeybound hygienic mated robbed brooding",
        "log hive inspections across several apiaries / logging hive inspections across several apiaries",
        "forecast when a colony will swarm / forecasting when a colony will swarm",
        "label honey jars by batch and harvest / labelling honey jars by batch and harvest",
    ),
    _subject(
        "fountain pens / Pen Restorers / Nibfolio InkWarden Penarium Inkfeedr",
        "nib feed ink barrel cap converter paper sac lever piston section clip celluloid ebonite tine flow swatch cartridge blotter"
        " inkwell flange iridium shellac restoration plunger jewel",
        "flushed reground polished inked swatched resacced tuned disassembled straightened aligned",
        "italic scratchy flexible wet dry oblique vintage stub demonstrator crazed",
        "match inks to papers that feather / matching inks to papers that feather",
        "catalogue a pen collection with repair history / cataloguing a pen collection with repair history",
        "source replacement sacs by size / sourcing replacement sacs by size",
    ),
    _subject(
        "sourdough / Micro Bakers / CrumbBook Levainly OvenRoster ProofPal",
        "starter loaf crumb levain dough oven flour banneton crust hydration autolyse scoring rye spelt bulk proof lame steam baguette"
        " peel gluten boule oven-spring porridge retard bakery",
        "folded proofed shaped scored autolysed baked refreshed laminated retarded fermented",
        "sour underproofed open tight sticky wholegrain blistered gummy overproofed crusty",
        "scale recipes to preorders for market day / scaling recipes to preorders for market day",
        "schedule bakes around a single deck oven / scheduling bakes around a single deck oven",
    ),
    _subject(
        "model railways / Railway Modellers / SignalBench TrackFolio PointsPro Timetably",
        "locomotive track turnout layout wagon decoder signal ballast coach siding baseboard gauge throttle loop catenary bogie coupling"
        " tunnel station embankment scenery fiddle-yard rail controller semaphore",
        "wired ballasted weathered soldered shunted laid repainted detailed converted programmed",
        "narrow derailed scratchbuilt brass weathered prototypical kitbashed digital dusty curved",
        "plan timetables for a branch line operating session / planning timetables for a branch line operating session",
        "document decoder settings for every locomotive / documenting decoder settings for every locomotive",
        "map the wiring under a layout / mapping the wiring under a layout",
    ),
    _subject(
        "home brewing / Home Brewers / WortLog Kegwise Mashlet Hopsheet",
        "wort mash hop yeast keg fermenter malt gravity boil carboy pitch sparge krausen trub lager stout bottle airlock grain mill"
        " chiller hydrometer foam cask barleywine tap",
        "mashed pitched racked kegged dryhopped bottled sparged cooled carbonated lagered",
        "hazy hoppy malty skunky sour overcarbonated crisp stuck roasty clear",
        "track fermentation temperatures remotely / tracking fermentation temperatures remotely",
        "share grain inventory within a brewing club / sharing grain inventory within a brewing club",
    ),
    _subject(
        "vintage synthesizers / Synth Repairers / PatchVault VoltBench CircuitShelf Oscillo",
        "oscillator filter patch envelope keybed potentiometer capacitor schematic voice module sequencer knob opamp trimmer chorus"
        " keyboard patchbay membrane ribbon encoder ribbon-cable arpeggiator battery multimeter firmware",
        "recapped tuned patched desoldered calibrated cleaned sampled retrobrighted rewired swapped",
        "analog noisy detuned polyphonic gritty drifting modular crackling warm yellowed",
        "find discontinued chips for voice boards / finding discontinued chips for voice boards",
        "back up patches from old memory cards / backing up patches from old memory cards",
        "record calibration values for each voice / recording calibration values for each voice",
    ),
    _subject(
        "planted aquariums / Aquarists / TankDiary Reefly AquaSpan Dosewell",
        "tank filter shrimp substrate plant nitrate cichlid algae heater betta driftwood snail tetra water light fry moss canister"
        " aquascape ammonia fertiliser regulator cory rotala sump ramshorn",
        "dosed planted quarantined trimmed cycled netted acclimated rescaped bred siphoned",
        "cloudy cycled stunted heavily-planted shy cherry brackish nano melted lush",
        "balance fertiliser dosing with light / balancing fertiliser dosing with light",
        "alert a house sitter when water parameters drift / alerting a house sitter when water parameters drift",
    ),
    _subject(
        "genealogy / Family Historians / KinThread ParishDesk Rootlet CensusMate",
        "census parish ancestor baptism surname register record archive cousin marriage gravestone will manifest emigrant village county"
        " tree microfilm transcript great-aunt obituary deed widow spelling photograph clerk",
        "transcribed traced indexed scanned cited matched digitised corrected found compared",
        "illegible maternal misspelled distant parish handwritten unindexed Prussian missing orphaned",
        "transcribe handwritten parish registers / transcribing handwritten parish registers",
        "merge family trees without losing sources / merging family trees without losing sources",
        "share scanned letters with distant relatives / sharing scanned letters with distant relatives",
    ),
    _subject(
        "orchid growing / Orchid Growers / BloomLedger Velamen PotCycle Phalaeno",
        "orchid spike root bark pseudobulb keiki bloom phalaenopsis cattleya sphagnum pot humidity greenhouse mealybug fungicide leaf"
        " sheath mount seedling cross label bench node petal lip dormancy",
        "repotted divided mounted misted rebloomed staked pollinated fertilised watered shaded",
        "miniature fragrant rotted dormant blooming terrestrial leggy wrinkled spotted awarded",
        "remember repotting dates for each orchid / remembering repotting dates for each orchid",
        "identify unlabelled hybrids from blooms / identifying unlabelled hybrids from blooms",
    ),
    _subject(
        "dairy goats / Goat Keepers / HerdNote MilkTally KidPen Caprina",
        "goat doe buck kid udder milk hay fence hoof herd rumen pen mineral breeding pasture stanchion colostrum wether worm bloat barn"
        " teat shelter clover bottle bedding",
        "milked kidded trimmed dewormed weaned disbudded bred tagged penned nursed",
        "pregnant dry polled lame bottle-fed Nubian skittish bloated weaned stubborn",
        "predict kidding dates for the herd / predicting kidding dates for the herd",
        "record milk yields per doe / recording milk yields per doe",
        "prove herd health to buyers / proving herd health to buyers",
    ),
    _subject(
        "film photography / Film Shooters / RollBook Emulsia DarkDesk Fixerly",
        "film shutter lens roll negative exposure darkroom developer meter grain rangefinder aperture fixer tank enlarger bellows slide"
        " print emulsion canister light-leak contact-sheet focus viewfinder filter tripod",
        "washed scanned exposed pushed metered loaded fixed enlarged printed bulk-loaded",
        "expired grainy underexposed monochrome thin dense fogged medium-format sharp fungus-ridden",
        "note exposure settings for every frame / noting exposure settings for every frame",
        "archive negatives with scans / archiving negatives with scans",
    ),
    _subject(
        "tabletop campaigns / Game Masters / LoreKeep Initia DungeonDesk Questly",
        "campaign dungeon dice session player goblin map paladin encounter rulebook villain tavern spell initiative monster faction"
        " hexcrawl cleric handout quest miniature backstory treasure ambush lore guild",
        "rolled prepared improvised homebrewed playtested narrated mapped ran balanced rewrote",
        "homebrew cursed chaotic epic sandbox undead lawful grimdark railroaded legendary",
        "schedule sessions for five busy adults / scheduling sessions for five busy adults",
        "keep campaign lore consistent between sessions / keeping campaign lore consistent between sessions",
        "balance encounters for mixed party levels / balancing encounters for mixed party levels",
    ),
    _subject(
        "hand weaving / Weavers / Draftling WarpDesk Heddleworks Selvedge",
        "loom warp weft heddle shuttle yarn reed treadle selvedge draft twill bobbin sett harness cotton shed fringe beam overshot linen"
        " wool sampler tie-up raddle threading pattern",
        "warped threaded sleyed beamed wove hemmed dyed fulled treadled wound",
        "handspun balanced puckered floating four-shaft tangled mercerised uneven rigid woollen",
        "convert drafts between loom types / converting drafts between loom types",
        "estimate yarn for a custom order / estimating yarn for a custom order",
    ),
    _subject(
        "bicycle restoration / Frame Restorers / SpokeLog Velofile HubShop TrueWheel",
        "frame hub derailleur fork spoke wheel crank lug headset bottom-bracket brake saddle rim freewheel decal chainring pedal stem"
        " cable seatpost thread rust chrome bearing quill tyre",
        "rebuilt repainted trued greased dechromed rethreaded overhauled stripped restored adjusted",
        "lugged rusty Italian seized friction pitted steel hand-built bent chromed",
        "identify frames from serial numbers / identifying frames from serial numbers",
        "trace missing parts across swap meets / tracing missing parts across swap meets",
        "quote restoration jobs for customers / quoting restoration jobs for customers",
    ),
    _subject(
        "amateur radio / Radio Operators / QsoDesk Ionosheet CallRoster BandWatch",
        "antenna transceiver dipole repeater band callsign coax contest propagation beacon tuner amplifier noise handheld balun contact"
        " mast ground key log ionosphere satellite swr microphone packet",
        "transmitted soldered logged tuned keyed grounded received worked calibrated decoded",
        "portable resonant noisy low-power digital vertical faint homebrewed sporadic remote",
        "merge contest logs from several stations / merging contest logs from several stations",
        "predict openings on the higher bands / predicting openings on the higher bands",
    ),
    _subject(
        "farmhouse cheese / Cheesemakers / CurdBook AgeCave Rindly WheyDesk",
        "curd rennet whey rind culture cheddar press brine cave mould wheel milk gouda brie affinage wax cheesecloth pH tomme calcium"
        " hygrometer vat blue gruyere starter mesophilic",
        "cut stirred brined aged waxed pressed pasteurised drained salted turned",
        "crumbly bloomy rubbery raw washed aged tangy slipskin creamy bitter",
        "monitor humidity while wheels age / monitoring humidity while wheels age",
        "prepare safety paperwork for inspectors / preparing safety paperwork for inspectors",
    ),
    _subject(
        "bookbinding / Bookbinders / Foliobench SignatureLab Spineworks Endpaper",
        "signature spine endpaper thread leather cloth board awl paste press case gilding headband fold cradle deckle knife bone-folder"
        " quire hinge tape kettle-stitch vellum marbling clamshell title",
        "sewed rounded backed cased pasted trimmed gilded marbled covered rebound",
        "quarter-leather brittle hand-sewn goatskin warped gilt deckled foxed coptic archival",
        "calculate paper grain and sheet layouts / calculating paper grain and sheet layouts",
        "price commissions for repair work / pricing commissions for repair work",
        "document repairs for library clients / documenting repairs for library clients",
    ),
    _subject(
        "clock repair / Clock Repairers / Escapely TickBench Horologue ChimeDesk",
        "clock escapement mainspring pendulum pivot movement dial chime arbor bushing wheel pinion verge pallet barrel suspension case"
        " hammer gear plate strike fusee regulator bezel oil beat",
        "bushed oiled repivoted regulated disassembled cleaned wound burnished rehung adjusted",
        "striking worn tall-case seized regulated mantel wooden slow French ticking",
        "track customer repairs from intake to pickup / tracking customer repairs from intake to pickup",
        "identify movements from stamped marks / identifying movements from stamped marks",
    ),
    _subject(
        "dinghy sailing / Dinghy Sailors / TackSheet RegattaRoom WindRoster Mainsheet",
        "dinghy sail mast rudder jib regatta boom tack wind spinnaker buoy hull halyard centreboard gybe mark tide cleat trapeze trolley"
        " batten crew course handicap gust start-line",
        "rigged tacked capsized raced gybed trimmed hauled reefed hiked tuned",
        "gusty upwind capsized planing shifty leaky tidal overlapped double-handed light",
        "score club races with mixed handicaps / scoring club races with mixed handicaps",
        "assemble rescue boat rotas / assembling rescue boat rotas",
        "share wind readings between clubs / sharing wind readings between clubs",
    ),
    _subject(
        "leatherwork / Leatherworkers / HideStock Awlbook StitchRoom Burnish",
        "hide awl stitch edge strap wallet bevel groover rivet dye buckle pricking-iron veg-tan belt pattern thread skiver mallet holster"
        " conditioner sheath bridle snap lining finish tannery",
        "burnished skived stitched dyed tooled cut punched bevelled oiled moulded",
        "hand-stitched waxy stiff veg-tanned oversized embossed cracked supple two-tone rolled",
        "nest patterns on an irregular hide / nesting patterns on an irregular hide",
        "quote custom orders with material waste / quoting custom orders with material waste",
    ),
)
"""Crafts and trades: what most communities are about."""

CROWDS: tuple[Subject, ...] = (
    _subject(
        "funny pictures / Everybody / Giggleroll Snapjoke MemoryAlley Laughbox",
        "picture joke caption meme screenshot face dog video template cartoon pun comment repost sign cat",
        "posted saved shared captioned laughed-at",
        "funny old cursed wholesome random",
        "find where a picture came from / finding where a picture came from",
        "sort saved pictures / sorting saved pictures",
    ),
    _subject(
        "television / Viewers / ShowCircle Bingely WatchShelf Recapper",
        "episode season show actor finale scene plot character trailer spoiler writer cast ending studio soundtrack",
        "watched binged skipped finished rewatched",
        "boring amazing predictable emotional overrated",
        "follow shows across channels / following shows across channels",
        "avoid spoilers after a finale / avoiding spoilers after a finale",
    ),
    _subject(
        "football / Supporters / Fixturely Terrace Scorecast MatchRoom",
        "match goal referee striker league keeper season transfer penalty coach derby stadium fan manager cup",
        "scored missed watched defended booked",
        "late terrible deserved brilliant unlucky",
        "compare away travel / comparing away travel",
        "follow lower leagues live / following lower leagues live",
    ),
    _subject(
        "news talk / Readers / Headwise Dayfold Presswire Opinionist",
        "headline minister paper law election article vote tax poll strike council source quote debate court",
        "read shared voted said argued",
        "political biased huge local important",
        "check claims in headlines / checking claims in headlines",
        "follow council votes / following council votes",
    ),
)
"""Subjects of everybody: what the very large communities are about."""

NOUNS = words(
    "thing day week time year part place problem weekend morning idea friend result setup photo house garden way box neighbour summer"
    " winter shop kitchen table bit batch corner hour garage spot trick detail test mistake order kit bag hand story question answer month"
    " town street room window door floor wall shelf bench light colour size shape edge side end start piece pair set list note book page"
    " guide video post thread comment forum group club meeting event fair market price cost budget deal box parcel delivery supplier maker"
    " seller buyer beginner expert teacher parent brother sister dog cat car bike truck van road weather rain snow heat cold dust smell"
    " noise sound look feel habit plan goal step stage method process system rule limit reason choice change effort chance risk luck"
    " surprise"
)
VERBS = words(
    "tried moved cleaned checked replaced finished started kept changed found borrowed dropped fixed measured painted ordered returned"
    " stored tested used saved opened closed weighed marked labelled compared picked carried watched showed sold shared planned learned"
    " read wrote taught asked answered noticed ignored forgot remembered missed broke bent cut glued filled emptied lifted pushed pulled"
    " turned twisted wrapped packed shipped sorted counted"
)
ADJECTIVES = words(
    "new old small big good odd simple rough cheap heavy loose quiet bright dark clean dirty fresh spare extra common rare early late slow"
    " quick soft hard thick thin long short wide narrow deep shallow warm cold damp smooth sharp dull round flat straight crooked plain"
    " fancy solid weak strong local foreign recent ancient lovely ugly strange usual perfect decent"
)
