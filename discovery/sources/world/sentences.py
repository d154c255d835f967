"""Sentences of the invented people, by what they do. Data, nothing else.

Slots: ``n`` and ``m`` nouns, ``a`` an adjective, ``v`` a verb in the past tense, ``do`` and ``doing`` the need, ``p`` and ``q`` products,
``usd`` an amount. Whether a sentence counts as one intent or another is for the reader of the world to find out.
"""

from __future__ import annotations

_FAMILIES: dict[str, str] = {
    "talk": """
The {n} looked {a} this morning, so we {v} the {m} again.
My {n} has been {a} since the weekend.
We {v} the {n} before the {m} and it came out fine.
The {a} {n} is normal at this time of year.
Last week a friend {v} the {n} next to the {m}.
It helps to keep the {n} away from the {m}.
Mine was {a} as well until we {v} the {n}.
The trick with any {n} is the {a} {m}.
You have to pay attention to the {n} once the {m} gets {a}.
There was some {a} {n} under the {m} when we opened it.
Nobody told me that the {n} could be this {a}.
After two tries the {n} sat right on the {m}.
Our {n} {v} itself somehow, and the {m} stayed {a}.
Even the {a} {n} held up well through the winter.
My neighbour {v} one {a} {n} and swears by the {m}.
Start with the {n}, then look at the {m}.
It took a whole afternoon before the {n} was {a} enough.
The old {n} had some {a} {m} on one side.
We compared the {a} {n} with the one from last year.
Usually the {m} tells you more than the {n} does.
Between the {n} and the {m} there should be some {a} gap.
Some people prefer the {a} {n}, and that works too.
This {n} came from my grandfather together with the {m}.
Rain got into the {n} and the {m} turned {a}.
Every {n} here gets {v} once a season.
The club {v} the {n} on Saturday, and the {m} drew a crowd.
With the {a} {m} you can leave the {n} alone.
I was surprised how {a} the {n} felt beside the {m}.
At first the {m} seemed {a}, but the {n} sorted it out.
Both the {n} and the {m} are {a} now.
In my experience the {n} wants the {a} {m} and some patience.
Once we {v} it, the {n} stopped touching the {m}.
The book says {a}, my {n} says otherwise.
Three of us {v} the same {n} and got three different results.
I keep a spare {n} near the {m} for such days.
Cold nights leave the {n} {a}, warm ones do not.
Before that, the {m} had been {v} twice.
Never rush the {a} {n}.
The {m} arrived on Tuesday with the {a} {n} inside.
I took notes on the {n} and the {m} all month.
""",
    "short": """
lol that {n}
same here
so {a}
this {n} again
nice one
who {v} the {n}
that is {a}
no way
love it
the {m} though
came here for this
classic {n}
wait what
best {n} of the {m}
not the {n} again
ok that got me
{a} but true
every single time
my {n} too
haha the {m}
big if true
I believe it
that {a} {n} energy
someone {v} it already
""",
    "question": """
Why is my {n} {a} after we {v} the {m}?
How do you all {do}?
Is the {a} {n} safe with this {m}?
What went wrong with this {n}?
Should the {n} be {a} before the {m}?
How often is the {n} supposed to be {v}?
{n} or {m} first when everything is {a}?
How long does the {a} {n} last?
Can the {n} replace the {m} here?
How would you {do} with the {a} {n}?
Where does the {a} {n} belong?
What does the {a} {m} mean for the {n}?
Who else struggles with {doing}?
""",
    "subject_line": """
Notes on the {a} {n}
Another week with the {n}
The {n} and the {m}, one year later
About that {a} {m}
Season report: {n}, {m} and the rest
What the {a} {n} taught us
A word on the {m}
Saturday thread: {n}
""",
    "photo_line": """
A photo of this {a} {n} today
Picture: my {n} beside the {m}
First {a} {n} of the year
Photo of the day: {a} {m}
{n} and {m} in the morning light
Before and after: the {a} {n}
My {n} in black and white, colours did not work
The {m}, {v} at last, in a close picture
""",
    "notice_line": """
Release notes: {n} and {m}
Scheduled maintenance of the {n}
{p} update: the {a} {n}
Meeting minutes, {m} and {n}
Changed opening times for the {n}
{p} now ships with the {a} {m}
""",
    "launch_line": """
{p} is out, for {doing}
Introducing {p}
Show and tell: {p}
""",
    "notice": """
This release adds the {a} {n} and fixes the {m}.
The {n} will be unavailable while the {m} is {v}.
From Monday on the {n} is {a} for all members.
Reports on the {n} and the {m} have been read, all of them.
The next update of {p} is planned for the end of the month.
""",
    "answer": """
Check whether the {n} is {a}, then look at the {m}.
In such cases the {m} was {v} too early.
Try it with the {a} {n} first.
It is nearly always the {n}, rarely the {m}.
Leave the {n} alone for a week and see if the {m} stays {a}.
Turn the {n} round and keep the {m} {a}.
Ours did the same until the {n} was {v}.
""",
    "praise": """
What a great photo of the {a} {n}!
Beautiful colours on the {m}.
That picture of the {n} turned out so well.
The {a} {m} in the background is a good choice.
Lovely shot, and the {n} is sharp.
Wow, the light on the {m} alone.
""",
    "thanks": """
Thanks, that worked, the {n} is fine again.
Thank you so much, that solved it.
That did the trick, thanks a lot.
It was the {n} indeed, thank you!
Perfect, that fixed the {m}, thanks.
""",
    "still": """
No luck so far, the {n} is as {a} as before.
Same result with the {m}, sadly.
Did that already, the {n} did not care.
""",
    "seek": """
Is there an app for {doing}?
Does anyone know a tool for {doing}?
I am looking for a simple app to {do}.
Is there a good program for {doing}?
I really wish there was a service for {doing}.
Why is there no decent app for {doing}?
Can anybody recommend some software for {doing}?
Is there any way to {do} without buying three gadgets?
What do you folks use for {doing}?
We need something that helps to {do}.
""",
    "hurt": """
{doing} is so tedious that half the club gave up.
I spend hours every month on {doing}.
I am fed up with {doing} the way we do it now.
It drives me crazy how slow {doing} is.
We wasted days on {doing} last season.
{doing} remains a nightmare for the {a} {n}.
Honestly I hate how {doing} eats my evenings.
""",
    "patch": """
For now I keep a spreadsheet to {do}.
We still {do} by hand, on paper.
My workaround is a shared spreadsheet and a lot of hope.
I end up copy-pasting notes between two files to {do}.
Right now I do it manually with index cards.
""",
    "pay": """
I pay {usd} a month for {p} and it covers half of it.
We are currently paying {usd} per month for {p}.
Last spring I paid {usd} for {p}, mostly for {doing}.
I spent {usd} on {p} this year alone.
We renewed our {p} subscription in autumn to {do}.
I bought the {p} pro plan just for {doing}.
My shop pays {usd} a year for {p}.
I upgraded to the annual plan of {p}.
""",
    "procure": """
Our budget is about {usd} for {doing}.
We switched from {p} to {q} in spring.
Any alternatives to {p} for {doing}?
I am looking to buy something for {doing} before the season.
We are ready to hire somebody for {doing}.
What is worth paying for, {p} or {q}?
I am migrating away from {p}, one {n} at a time.
""",
    "pledge": """
I would gladly pay for a thing that can {do}.
I'd happily pay {usd} if somebody solved {doing}.
Happy to pay as long as it works in the shed.
We would pay good money to {do}.
""",
    "refuse": """
I would never pay for {doing}.
{p} is not worth the price.
I refuse to pay a subscription for the {n}.
Just take the free version, the rest is decoration.
There is an open-source alternative that does enough.
""",
    "gripe": """
{p} has become too expensive for what it does.
After the last price hike of {p} half of us left.
{p} feels overpriced since the new plans came.
""",
    "promote": """
We just launched {p}, a service to {do}.
Check out my new app {p} at https://{p}.example for {doing}.
I built {p} so that anybody can {do}, feedback on my pricing page is welcome.
Use the promo code {p}20 at https://{p}.example this week.
Join our waitlist for {p}, which helps to {do}.
Sign up for our beta at https://{p}.example, and DM me for a seat.
""",
    "recommend": """
{p} does that well, no complaints after two years.
Most of us use {p} and are happy with it.
{q} is the usual answer here, or {p}.
For that I recommend {p}.
""",
    "jeer": """
what a clown show
go back to your {n}
ratio
everyone from our server says hi
this place is a joke
delete this {n}
""",
    "machine": """
Welcome! This is an automatic message: please read the rules and add a photo of your {n}. I am a program and cannot answer.
""",
}

SLOTS = ("n", "m", "a", "v", "need", "p", "q", "usd")
"""The order in which a sentence is filled."""


def _positional(sentence: str) -> str:
    for name, slot in {"do": "need.do", "doing": "need.doing"}.items():
        sentence = sentence.replace(f"{{{name}}}", f"{{{slot}}}")
    for place, slot in enumerate(SLOTS):
        sentence = sentence.replace(f"{{{slot}}}", f"{{{place}}}").replace(f"{{{slot}.", f"{{{place}.")
    return sentence


FAMILIES: dict[str, tuple[str, ...]] = {
    name: tuple(_positional(line) for line in lines.strip().splitlines()) for name, lines in _FAMILIES.items()
}
"""Sentences of each family, with slots by position."""
