"""Names of invented people and companies."""

# fmt: off
FIRST = (
    "Amara", "Andre", "Beatriz", "Benito", "Carla", "Cedric", "Dana", "Deshawn", "Elena", "Elliot", "Farah", "Felix",
    "Gita", "Greta", "Hana", "Hector", "Imani", "Ivan", "Jonas", "Joy", "Kavya", "Keith", "Lena", "Luis", "Mabel",
    "Marco", "Mina", "Nadia", "Noel", "Omar", "Otto", "Paula", "Priya", "Quinn", "Rafael", "Rosa", "Samir", "Selma",
    "Tariq", "Tess", "Uma", "Victor", "Wanda", "Wes", "Xenia", "Yara", "Yusuf", "Zane", "Zoe", "Ada",
)

LAST = (
    "Abbott", "Alvarez", "Bakker", "Barnes", "Castillo", "Chen", "Dalton", "Diaz", "Ekwueme", "Ellis", "Fischer",
    "Ford", "Garza", "Greene", "Haddad", "Hughes", "Ibarra", "Ingram", "Jensen", "Jimenez", "Kaplan", "Keller",
    "Lambert", "Lopez", "Maddox", "Mehta", "Nakamura", "Novak", "Okafor", "Olsen", "Park", "Patel", "Quist",
    "Ramirez", "Reyes", "Santos", "Schmidt", "Takeda", "Torres", "Ueda", "Underwood", "Vargas", "Vega", "Walsh", "Wu",
    "Yates", "Young", "Zamora", "Ziegler",
)

PLACES = (
    "Northgate", "Riverbend", "Cedar", "Hill", "Lakeside", "Summit", "Ironwood", "Prairie", "Harbor", "Eastfield",
    "Granite", "Maple", "Redstone", "Silver", "Creek", "Westbrook", "Blue", "Ridge", "Oakmont", "Stonebridge",
    "Clearwater", "Highland", "Fairview", "Kingston", "Mesa", "Pinecrest", "Rockport",
)

TRADES = (
    "Builders", "Construction", "Contracting", "Homes", "Roofing", "Interiors", "Design Group", "Renovation",
    "Developments", "Project Partners",
)
# fmt: on
