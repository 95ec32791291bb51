"""Whether words read like a person's name: by their capitals, or by a first name among them.

For names of files (`filenames`), which decides what else they may be. No name leaves here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UPPER, _LOWER = "A-ZÆØŁŒ", "a-zæøłœß"  # once the accents are off
_CAPITALS: Final = re.compile(  # NAME Firstname
    f"(?<![{_UPPER}{_LOWER}])[{_UPPER}][{_UPPER}'-]{{2,}}[ _-][{_UPPER}][{_UPPER}{_LOWER}-]{{2,}}"
)
_PAIR: Final = re.compile(f"[{_UPPER}][{_LOWER}'-]{{2,}}[ _][{_UPPER}][{_LOWER}-]{{2,}}")
_BETWEEN: Final = re.compile(f"[^{_UPPER}{_LOWER}]+|(?<=[{_LOWER}])(?=[{_UPPER}])")
_FREQUENT: Final = """
adam adele adrien agathe alain albert alexandra alexandre alexis alice aline amandine amelie
anais andre andrea anne annie antoine arnaud arthur audrey aurelie axel baptiste bastien
beatrice benjamin benoit bernadette bernard bertrand brigitte bruno camille carole caroline
catherine cecile cedric celine chantal charles charlotte chloe christelle christian christiane
christine christophe claude claudine clement colette corinne cyril damien daniel danielle david
delphine denis denise didier dominique dorothee edouard elisabeth elise elodie emilie emma
emmanuel eric estelle etienne eva fabien fabrice fanny fatima fatiha felix fernand florence
florian francine franck francois francoise frederic gabriel gael genevieve georges gerard
germaine gilbert gilles ginette gregory guillaume gustave guy helene henri herve hugo ines
isabelle jacqueline jacques jean jeanne jeannine jerome joel johanna jonathan joseph josette
josiane jules julia julie julien juliette karim karine kevin laetitia laura laure laurence
laurent lea leo leon liliane louis louise lucas lucie lucien ludovic madeleine magali manon marc
marcel marguerite maria marie marine marion martine mathieu mathilde matthieu maurice maxime
melanie michel michele michelle mireille mohamed monique morgane muriel mustapha nadia nathalie
nathan nicolas nicole noemie odette odile olivier pascal pascale patrice patricia patrick paul
paulette pauline philippe pierre quentin rachel raoul raymond regine remi rene renee robert
roger roland romain sabrina samuel sandra sandrine sarah sebastien serge simone solange sophie
stephane stephanie suzanne sylvain sylvie theo therese thibault thierry thomas valerie vanessa
veronique victoire vincent virginie xavier yann yves yvette yvonne zoe
"""
FIRST_NAMES: Final = frozenset(_FREQUENT.split())  # in France, without accents


def has_capitals_of_a_person(text: str) -> bool:
    """Whether somewhere in it stands a name as registers write it; of one word alone, a first name's.

    >>> has_capitals_of_a_person("irm LEFÈVRE Hélène"), has_capitals_of_a_person("Lefèvre Hélène")
    (True, False)
    >>> has_capitals_of_a_person("ZOÉ"), has_capitals_of_a_person("LOGO")
    (True, False)
    """
    text = _unaccented(text)
    alone = text.isupper() and text.lower() in FIRST_NAMES
    return alone or _CAPITALS.search(text) is not None


def is_a_person(text: str) -> bool:
    """Whether all of it may be a name: two words with capitals, or several with a first name.

    >>> [is_a_person(each) for each in ("Martin_Zoe", "martin zoé", "MartinZoe", "zoe", "mode emploi")]
    [True, True, True, False, False]
    """
    text = _unaccented(text)
    words = [each for each in _BETWEEN.split(text) if each]
    has_first = any(each.lower() in FIRST_NAMES for each in words)
    return _PAIR.fullmatch(text) is not None or (len(words) > 1 and has_first)


def _unaccented(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(each for each in apart if not unicodedata.combining(each))
