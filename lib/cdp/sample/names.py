"""Bounded lists of names: Faker's per country, and a few in other scripts with their romanised form."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from anyascii import anyascii

from cdp.sample.chance import Array
from cdp.sample.places import COUNTRIES


@dataclass(frozen=True)
class Names:
    """Names of one kind, drawn by cumulative weight, each with the letters an e-mail address can hold."""

    values: Array
    letters: Array
    cumulative: Array
    native: Array | None = None

    def draw(self, uniform: Array) -> Array:
        """Positions in `values` for uniform numbers."""
        return np.minimum(np.searchsorted(self.cumulative, uniform), len(self.values) - 1)


def _names(values: list[str], weights: list[float], native: list[str] | None = None) -> Names:
    letters = ["".join(c for c in anyascii(value).lower() if c.isalnum()) for value in values]
    cumulative = np.cumsum(np.asarray(weights)) / sum(weights)
    return Names(
        np.array(values, dtype=object),
        np.array(letters, dtype=object),
        cumulative,
        None if native is None else np.array(native, dtype=object),
    )


def _of_faker(locale: str, attribute: str) -> Names:
    """Faker's own list; with its weights where it has some, else the first names are the most common."""
    provider: Any = import_module(f"faker.providers.person.{locale}").Provider
    entries = getattr(provider, attribute)
    if isinstance(entries, dict):
        return _names(list(entries), [float(weight) for weight in entries.values()])
    unique = list(dict.fromkeys(entries))
    return _names(unique, [1.0 / (rank + 20) for rank in range(len(unique))])


@dataclass(frozen=True)
class NameLists:
    """All lists: men's and women's given names and family names by country, and (men, women, families) by script."""

    given: tuple[tuple[Names, Names], ...]
    family: tuple[Names, ...]
    scripts: tuple[tuple[Names, Names, Names], ...]


def name_lists() -> NameLists:
    """Made on the driver and sent to the workers: importing Faker in each of them costs a second."""
    return NameLists(given_names(), family_names(), tuple(names_of_script(script) for script in SCRIPTS))


def given_names() -> tuple[tuple[Names, Names], ...]:
    """For each country: men's and women's given names."""
    return tuple(
        (_of_faker(c.locale, "first_names_male"), _of_faker(c.locale, "first_names_female"))
        for c in COUNTRIES
    )


def family_names() -> tuple[Names, ...]:
    """For each country: family names."""
    return tuple(_of_faker(c.locale, "last_names") for c in COUNTRIES)


_SCRIPTS: dict[str, tuple[str, str, str]] = {
    # language: (men, women, families), each "Romanised=native" and so on
    "el": (
        "Georgios=Γεώργιος Dimitrios=Δημήτριος Nikolaos=Νικόλαος Ioannis=Ιωάννης Christos=Χρήστος Panagiotis=Παναγιώτης",
        "Maria=Μαρία Eleni=Ελένη Aikaterini=Αικατερίνη Vasiliki=Βασιλική Sofia=Σοφία Anna=Άννα",
        "Papadopoulos=Παπαδόπουλος Georgiou=Γεωργίου Nikolaidis=Νικολαΐδης Oikonomou=Οικονόμου Vlachos=Βλάχος "
        "Angelopoulos=Αγγελόπουλος Dimitriou=Δημητρίου Karagiannis=Καραγιάννης",
    ),
    "uk": (
        "Oleksandr=Олександр Serhii=Сергій Andrii=Андрій Volodymyr=Володимир Mykola=Микола Dmytro=Дмитро",
        "Olena=Олена Nataliia=Наталія Oksana=Оксана Iryna=Ірина Tetiana=Тетяна Kateryna=Катерина",
        "Shevchenko=Шевченко Kovalenko=Коваленко Bondarenko=Бондаренко Tkachenko=Ткаченко Kravchenko=Кравченко "
        "Oliinyk=Олійник Melnyk=Мельник Boiko=Бойко",
    ),
    "ar": (
        "Mohamed=محمد Ahmed=أحمد Youssef=يوسف Omar=عمر Khaled=خالد Hassan=حسن",
        "Fatima=فاطمة Mariam=مريم Aisha=عائشة Layla=ليلى Nour=نور Salma=سلمى",
        "Haddad=حداد Mansour=منصور Khalil=خليل Nasser=ناصر Saleh=صالح Ibrahim=إبراهيم Hamdan=حمدان Najjar=نجار",
    ),
    "zh": (
        "Wei=伟 Jun=军 Ming=明 Lei=磊 Jian=建 Hao=浩",
        "Fang=芳 Na=娜 Xiuying=秀英 Min=敏 Jing=静 Li=丽",
        "Wang=王 Li=李 Zhang=张 Liu=刘 Chen=陈 Yang=杨 Zhao=赵 Huang=黄",
    ),
}
SCRIPTS = tuple(_SCRIPTS)


def names_of_script(script: str) -> tuple[Names, Names, Names]:
    """Men's, women's and family names of a language in another script."""
    lists = []
    for text in _SCRIPTS[script]:
        pairs = [entry.split("=") for entry in text.split()]
        lists.append(_names([p[0] for p in pairs], [1.0] * len(pairs), [p[1] for p in pairs]))
    return lists[0], lists[1], lists[2]


_NICKNAMES = """
William=Bill Robert=Bob Richard=Dick James=Jim John=Jack Thomas=Tom Michael=Mike David=Dave Joseph=Joe
Christopher=Chris Daniel=Dan Matthew=Matt Andrew=Andy Edward=Ted Steven=Steve Stephen=Steve Kenneth=Ken
Anthony=Tony Charles=Charlie Nicholas=Nick Alexander=Alex Benjamin=Ben Samuel=Sam Patrick=Pat Peter=Pete
Timothy=Tim Gregory=Greg Jonathan=Jon Joshua=Josh Zachary=Zach Philip=Phil Raymond=Ray Ronald=Ron
Elizabeth=Liz Margaret=Maggie Katherine=Kate Catherine=Cathy Jennifer=Jen Jessica=Jess Patricia=Pat
Barbara=Barb Susan=Sue Deborah=Debbie Rebecca=Becky Victoria=Vicky Samantha=Sam Christine=Chris
Alexandra=Alex Kimberly=Kim Pamela=Pam Jacqueline=Jackie Abigail=Abby Amanda=Mandy Melissa=Missy
Alexandre=Alex Nicolas=Nico Frédéric=Fred Grégoire=Greg Maxime=Max Philippe=Phil Stéphane=Steph
Théodore=Théo Dominique=Dom Emmanuelle=Manu Stéphanie=Steph Véronique=Véro Caroline=Caro Gabrielle=Gaby
Joséphine=José Antoinette=Toinette Madeleine=Mado Sébastien=Seb Emmanuel=Manu Gilbert=Gil
Johannes=Hannes Maximilian=Max Alexander=Alex Sebastian=Basti Friedrich=Fritz Heinrich=Heinz Josef=Sepp
Wolfgang=Wolfi Ludwig=Lutz Elisabeth=Lisa Katharina=Kathi Susanne=Susi Johanna=Hanna Margarete=Grete
Andreas=Andi Christian=Chris Michaela=Michi Gabriele=Gabi Franziska=Franzi Ulrich=Uli
Francisco=Paco José=Pepe Ignacio=Nacho Manuel=Manolo Enrique=Quique Antonio=Toño Guadalupe=Lupe Dolores=Lola
Concepción=Concha Mercedes=Merche Rosario=Charo Francisca=Paca Josefa=Pepa Isabel=Isa Santiago=Santi
Alejandro=Álex Rafael=Rafa Eduardo=Edu Beatriz=Bea Teresa=Tere Consuelo=Chelo
"""  # English, French, German, Spanish
NICKNAMES: dict[str, str] = dict(pair.split("=") for pair in _NICKNAMES.split())
"""Short forms by given name."""
