"""Sensitive subjects: communities whose people could be harmed by being treated as a market. Names and descriptions in, subjects out.

Platforms mark little beside adult content, so a small lexicon marks what data-protection law calls special (GDPR, article 9:
health, sex life and orientation, belief) and who needs protecting besides: minors, people in addiction, survivors of violence,
the persecuted. Such communities are counted and never scored.

Whole words count: a name is split where letters change case and at digits and marks, so r/christianblades is a knife forum and
r/FlautistCorner plays the flute; a few words that no other word holds count anywhere in a name (r/drivinganxiety). Words that
are a hobby's own way of speaking are left out (makeup *addiction*, retail *therapy*, hearing *aids*), and a description counts
only where it names the subject plainly, not where it welcomes everybody. It errs towards marking: the zodiac's Cancer, the
Great Depression and the Trans Am are lost to it, a smaller loss than selling to the sick. In other languages than English it
finds little, which the platform's marks must make up for.
"""

from __future__ import annotations

import re
from itertools import pairwise

_NAMED: dict[str, str] = {
    "health": """
cancer leukemia leukaemia lymphoma chemo chemotherapy diabetes diabetic diabetics hiv epilepsy epileptic fibromyalgia endometriosis lupus
pcos crohns ibs ibd colitis psoriasis eczema migraine migraines sclerosis parkinsons alzheimers dementia cfs herpes disability disabilities
disabled infertility ivf miscarriage stillbirth babyloss abortion pregnancy pregnant postpartum autoimmune palsy tinnitus longcovid
chronicpain chronicillness breastcancer braincancer cancersupport multiplesclerosis cysticfibrosis kidneydisease dialysis""",
    "mental health": """
depression depressed anxiety suicide suicidal suicidewatch bipolar bpd adhd autism autistic autistics aspergers asperger ocd ptsd cptsd
schizophrenia schizoaffective psychosis selfharm anorexia bulimia anorexianervosa dissociative mentalhealth mentalillness
socialanxiety healthanxiety grief widowers antidepressants tourettes neurodivergent adhdmeme adhdwomen autisminwomen bipolarreddit
depressionhelp eatingdisorders edanonymous stopselfharm""",
    "sexuality and gender": """
lgbt lgbtq lgbtqia gay gays gaybros lesbian lesbians actuallesbians bisexual bisexuality asexual asexuality aromantic queer transgender
trans transgenderuk ftm mtf nonbinary genderqueer intersex polyamory polyamorous kink bdsm fetish nsfw onlyfans sex sexual sexuality
askgaybros asktransgender egg_irl traa lgbtmemes latebloomerlesbians""",
    "belief": """
christian christians christianity catholic catholics catholicism protestant baptist evangelical mormon mormons mormonism lds exmormon
latterdaysaints muslim muslims islam islamic shia ahmadiyya jewish judaism jews hindu hindus hinduism buddhist buddhists buddhism sikh
sikhs sikhism atheist atheists atheism exmuslim exchristian excatholic exjw jehovah scientology pagan paganism wicca truechristian
askachristian opendiscussionofislam""",
    "minors": "teens teenager teenagers tweens minors middleschool highschool highschoolers",
    "addiction": """
alcoholism alcoholic alcoholics alcoholicsanonymous stopdrinking sober sobriety opiates opioid opioids opiatesrecovery heroin meth
methadone suboxone fentanyl cocaine benzos benzorecovery naloxone kratom quittingkratom problemgambling gamblingaddiction nofap pornfree
pornaddiction addictionrecovery redditorsinrecovery""",
    "violence and abuse": """
rape incest abusiverelationships domesticviolence narcissisticabuse raisedbynarcissists raisedbyborderlines sexualassault
survivorsofabuse adultsurvivors""",
    "persecution": "refugee refugees asylum undocumented dissident dissidents whistleblower whistleblowers uyghur uyghurs daca",
}
"""Subject to the words of a name that mark it."""

_PEOPLE = r"(?:people|those|anyone|adults|patients?|women|men|parents|individuals) (?:living |diagnosed |dealing |suffering |affected )?"
_IDENTITY = r"(?:gay|lesbian|bisexual|transgender|trans|queer|lgbt\w*|asexual|non-?binary)"
_DESCRIBED: dict[str, tuple[str, ...]] = {
    "health": (
        rf"{_PEOPLE}(?:with|by|from|of) (?:a )?(?:chronic|cancer|diabetes|hiv|epilepsy|lupus|crohn|dementia|alzheimer|endometriosis)",
        r"chronic (?:illness|pain|fatigue)|cancer (?:patients?|survivors?|support)|living with (?:hiv|cancer|diabetes)|pregnancy loss",
    ),
    "mental health": (
        r"mental (?:health (?:support|issues|problems|conditions?|struggles)|illness(?:es)?)|eating disorders?",
        r"suicid(?:e|al)(?! squad)|self[- ]harm|(?:depression|anxiety|bipolar|schizophrenia|ptsd|autism|adhd) support",
        rf"{_PEOPLE}(?:with|from) (?:depression|anxiety|adhd|autism|bipolar|ocd|ptsd|bpd)",
    ),
    "sexuality and gender": (
        rf"(?:for|by) (?:the )?{_IDENTITY}(?: (?:men|women|people|folk\w*|community|individuals|teens))",
        r"18\+ only|adults? only|nsfw content",
    ),
    "addiction": (
        r"(?:alcohol|drug|opioid|porn|gambling|substance) (?:addiction|abuse|use disorder)|addiction recovery",
        r"recovering (?:addicts?|alcoholics?)|(?:stay|get|getting|staying) sober",
    ),
    "violence and abuse": (r"(?:sexual|domestic|child|narcissistic) (?:abuse|assault|violence)|(?:abuse|rape|assault) survivors?",),
    "minors": (r"for (?:teens|teenagers|minors|middle schoolers|high schoolers)",),
    "persecution": (r"asylum seekers?|undocumented (?:immigrants?|people)|political(?:ly)? (?:prisoners?|persecut\w+)",),
}
"""Subject to the plain words of a description that mark it."""

_UNMISTAKABLE: dict[str, str] = {
    "health": "diabet pregnan endometrio fibromyalg epilep",
    "mental health": "depression anxiety adhd autism autistic bipolar schizo suicidal mentalhealth mentalillness selfharm",
    "sexuality and gender": "transgender lesbian lgbt bisexual asexual",
    "addiction": "alcoholi opioid",
}
"""Subject to what marks it anywhere in a name, also where a name runs its words together."""

_NAMES = {word: subject for subject, words in _NAMED.items() for word in words.split()}
_INSIDE = {part: subject for subject, parts in _UNMISTAKABLE.items() for part in parts.split()}
_PATTERNS = {subject: re.compile(rf"\b(?:{'|'.join(told)})", re.ASCII | re.IGNORECASE) for subject, told in _DESCRIBED.items()}
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")


def sensitive_subject(name: str, description: str) -> str | None:
    """Tell the sensitive subject that a community's name or description states, None where it states none."""
    told = name.rsplit("/", maxsplit=1)[-1]
    words = [part.lower() for part in _PARTS.findall(told)]
    whole = re.sub(r"[\W\d_]+", "", told.lower())
    named = (_NAMES.get(word) for word in (*words, whole, *map("".join, pairwise(words))))
    inside = (subject for part, subject in _INSIDE.items() if part in whole)
    described = (subject for subject, pattern in _PATTERNS.items() if pattern.search(description))
    return next((subject for subject in (*named, *inside, *described) if subject), None)
