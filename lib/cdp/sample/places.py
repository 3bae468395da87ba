"""The five countries: cities, streets, phone numbers, money and languages as people there write them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """A city with the start of its post codes and the digits that follow (# is a digit, @ a letter)."""

    name: str
    region: str
    postcode: str
    area_code: str = ""


@dataclass(frozen=True)
class Country:
    """What the retailer needs to know of a country."""

    code: str
    share: float
    language: str
    locale: str
    currency: str
    exchange: float  # units of the currency for one euro
    tax: float  # included in prices, but for the US
    calling_code: str
    trunk: str
    mobile: tuple[str, ...]  # first digits of mobile numbers
    phone_digits: int
    cities: tuple[City, ...]
    street_types: tuple[str, ...]
    street_names: tuple[str, ...]
    mail_domains: tuple[str, ...]


_FRANCE = Country(
    "FR", 0.38, "fr", "fr_FR", "EUR", 1.0, 0.20, "33", "0",
    ("61", "62", "64", "66", "67", "68", "76", "77", "78"), 9,
    (
        City("Paris", "Île-de-France", "750##"), City("Boulogne-Billancourt", "Île-de-France", "921##"),
        City("Lyon", "Auvergne-Rhône-Alpes", "690##"), City("Marseille", "Provence-Alpes-Côte d'Azur", "130##"),
        City("Toulouse", "Occitanie", "31###"), City("Nice", "Provence-Alpes-Côte d'Azur", "06###"),
        City("Nantes", "Pays de la Loire", "44###"), City("Strasbourg", "Grand Est", "67###"),
        City("Bordeaux", "Nouvelle-Aquitaine", "33###"), City("Lille", "Hauts-de-France", "59###"),
        City("Saint-Étienne", "Auvergne-Rhône-Alpes", "42###"), City("Orléans", "Centre-Val de Loire", "45###"),
        City("Besançon", "Bourgogne-Franche-Comté", "25###"), City("Angers", "Pays de la Loire", "49###"),
    ),
    ("rue", "avenue", "boulevard", "place", "chemin", "impasse", "allée"),
    (
        "Victor Hugo", "de la République", "Jean Jaurès", "du Général de Gaulle", "Pasteur", "Gambetta",
        "de l'Église", "de Verdun", "Voltaire", "Émile Zola", "des Lilas", "du Moulin", "de la Liberté",
        "Jules Ferry", "Saint-Michel", "des Écoles", "du Château", "de la Gare", "Molière", "Carnot", "des Fleurs",
        "Jeanne d'Arc", "du Stade", "Albert Camus", "Marcel Proust", "de la Fontaine", "Ampère", "Édith Piaf",
    ),
    ("gmail.com", "orange.fr", "free.fr", "hotmail.fr", "laposte.net", "outlook.fr"),
)  # fmt: skip
_BRITAIN = Country(
    "GB", 0.20, "en", "en_GB", "GBP", 0.86, 0.20, "44", "0",
    ("740", "742", "747", "751", "753", "771", "773", "775", "777", "779", "781", "785", "787", "795"), 10,
    (
        City("London", "Greater London", "SW# #@@"), City("London", "Greater London", "N## #@@"),
        City("Manchester", "Greater Manchester", "M## #@@"), City("Birmingham", "West Midlands", "B## #@@"),
        City("Leeds", "West Yorkshire", "LS# #@@"), City("Glasgow", "Scotland", "G## #@@"),
        City("Edinburgh", "Scotland", "EH# #@@"), City("Bristol", "Bristol", "BS# #@@"),
        City("Liverpool", "Merseyside", "L## #@@"), City("Cardiff", "Wales", "CF# #@@"),
        City("Newcastle upon Tyne", "Tyne and Wear", "NE# #@@"), City("Norwich", "Norfolk", "NR# #@@"),
    ),
    ("Street", "Road", "Lane", "Avenue", "Close", "Drive", "Gardens"),
    (
        "High", "Church", "Station", "Victoria", "Park", "Mill", "Queen's", "King's", "Manor", "Green", "Albert",
        "York", "Windsor", "Oak", "Elm", "Chapel", "Bridge", "Orchard", "School", "Richmond", "Highfield", "Grange",
        "St John's", "Springfield", "Alexandra", "Stanley", "Clarence", "Grove",
    ),
    ("gmail.com", "btinternet.com", "hotmail.co.uk", "yahoo.co.uk", "outlook.com", "sky.com"),
)  # fmt: skip
_GERMANY = Country(
    "DE", 0.18, "de", "de_DE", "EUR", 1.0, 0.19, "49", "0",
    ("170", "171", "172", "173", "174", "175", "176", "177", "178", "179", "160", "163"), 10,
    (
        City("Berlin", "Berlin", "10###"), City("Hamburg", "Hamburg", "20###"), City("München", "Bayern", "80###"),
        City("Köln", "Nordrhein-Westfalen", "50###"), City("Frankfurt am Main", "Hessen", "60###"),
        City("Stuttgart", "Baden-Württemberg", "70###"), City("Düsseldorf", "Nordrhein-Westfalen", "40###"),
        City("Leipzig", "Sachsen", "04###"), City("Nürnberg", "Bayern", "90###"), City("Bremen", "Bremen", "28###"),
        City("Göttingen", "Niedersachsen", "370##"), City("Lübeck", "Schleswig-Holstein", "235##"),
    ),
    ("straße", "weg", "allee", "platz", "gasse", "ring"),
    (
        "Haupt", "Bahnhof", "Garten", "Schiller", "Goethe", "Linden", "Berg", "Kirch", "Wald", "Mozart", "Beethoven",
        "Rosen", "Wiesen", "Mühlen", "Schloss", "Birken", "Eichen", "Buchen", "Kastanien", "Friedrich", "Wilhelm",
        "Kaiser", "König", "Brücken", "Feld", "Sonnen", "Tannen", "Ahorn",
    ),
    ("gmail.com", "gmx.de", "web.de", "t-online.de", "outlook.de", "freenet.de"),
)  # fmt: skip
_SPAIN = Country(
    "ES", 0.12, "es", "es_ES", "EUR", 1.0, 0.21, "34", "",
    ("60", "61", "62", "63", "64", "65", "66", "67", "68", "69", "71", "72"), 9,
    (
        City("Madrid", "Comunidad de Madrid", "280##"), City("Barcelona", "Cataluña", "080##"),
        City("Valencia", "Comunitat Valenciana", "460##"), City("Sevilla", "Andalucía", "410##"),
        City("Zaragoza", "Aragón", "500##"), City("Málaga", "Andalucía", "290##"),
        City("Bilbao", "País Vasco", "480##"), City("A Coruña", "Galicia", "150##"),
        City("Córdoba", "Andalucía", "140##"), City("Gijón", "Asturias", "332##"),
    ),
    ("Calle", "Avenida", "Plaza", "Paseo", "Camino"),
    (
        "Mayor", "Real", "de la Constitución", "del Sol", "San Juan", "de Cervantes", "de Goya", "Nueva", "del Pilar",
        "de Colón", "de España", "de Velázquez", "de la Iglesia", "del Carmen", "de la Fuente", "Santa María",
        "de Andalucía", "del Río", "Picasso", "de la Rosa", "San Martín", "de Antonio Machado", "Ramón y Cajal",
        "de los Olivos", "de la Estación", "Doctor Fleming", "Gran Vía", "de Málaga",
    ),
    ("gmail.com", "hotmail.es", "yahoo.es", "telefonica.net", "outlook.es"),
)  # fmt: skip
_STATES = Country(
    "US", 0.12, "en", "en_US", "USD", 1.08, 0.08, "1", "", (), 10,
    (
        City("New York", "NY", "100##", "212"), City("Brooklyn", "NY", "112##", "917"),
        City("Los Angeles", "CA", "900##", "213"), City("San Francisco", "CA", "941##", "415"),
        City("Chicago", "IL", "606##", "312"), City("Houston", "TX", "770##", "713"),
        City("Austin", "TX", "787##", "512"), City("Philadelphia", "PA", "191##", "215"),
        City("Phoenix", "AZ", "850##", "602"), City("Seattle", "WA", "981##", "206"),
        City("Boston", "MA", "021##", "617"), City("Denver", "CO", "802##", "303"),
        City("Atlanta", "GA", "303##", "404"), City("Miami", "FL", "331##", "305"),
    ),
    ("Street", "Avenue", "Drive", "Lane", "Road", "Boulevard", "Court"),
    (
        "Maple", "Oak", "Washington", "Main", "Park", "Cedar", "Lake", "Hill", "Pine", "Elm", "Jefferson", "Lincoln",
        "Sunset", "Highland", "Jackson", "Franklin", "River", "Spring", "Meadow", "Walnut", "Chestnut", "Madison",
        "Ridge", "Forest", "Dogwood", "Hickory", "Adams", "Magnolia",
    ),
    ("gmail.com", "yahoo.com", "hotmail.com", "aol.com", "icloud.com", "comcast.net"),
)  # fmt: skip

COUNTRIES: tuple[Country, ...] = (_FRANCE, _BRITAIN, _GERMANY, _SPAIN, _STATES)
"""In this order everywhere: a person's country is an index into it."""

CITY_COUNT = max(len(country.cities) for country in COUNTRIES)
