"""Words that explain code and name nothing of it: a sentence may have them though its sources do not."""

from __future__ import annotations

from core.ranking.terms import stem

_WORDS = """
a an the this that these those it its itself they them their theirs there here he she his her him one ones oneself i
me my you your we us our who whom whose which what when where why how whether if else unless until while once as and
or but nor so yet than then thus hence because since although though however therefore instead otherwise meanwhile in
on at by for with from to into onto of off over under above below between among within without inside outside through
during before after behind beside besides beyond across along around against about toward towards upon via per except
up down out away back forward again ever never always often sometimes usually rarely already still just only even also
too very quite rather almost nearly exactly simply directly merely mostly mainly partly fully not no none nothing
nobody neither either both each every all any some several many much more most few fewer less least enough other
others another same such own whole entire certain various different similar specific particular general common usual
typical first second third last next previous earlier later former latter final initial current new old original
existing main single multiple additional extra further following preceding corresponding respective related relevant
given actual real true false correct wrong right proper valid invalid possible impossible necessary optional required
needed available present missing absent empty full large larger largest small smaller smallest big bigger long longer
short shorter high higher low lower great greater good better best bad worse early late quick slow fast simple plain
complex able unable like unlike equal separate internal external public private inner outer local global default
custom standard static abstract nested inherited derived based parent child base generic special regular normal helper
underlying be am is are was were been being do does did done doing have has had having can could may might must shall
should will would need needs let lets get gets got getting make makes made making use uses used using usage accept
accepts act acts add adds affect affects aim aims allow allows alter alters answer answers appear appears append apply
applies arrange ask asks assign assigns assume assumes attempt attempts avoid avoids become becomes begin begins
behave behaviour behavior belong belongs bring brings build builds call calls caller callers cancel carry carries
cause causes change changes check checks choose chooses chosen clear close come comes compare compares comparison
complete compute computes concern condition conditions consider considers consist consists construct contain contains
content continue continues control controls convert converts copy correspond count counts cover covers create creates
creation deal deals decide decides decision declare declares define defines definition delegate delegates depend
depends describe describes determine determines differ differs difference direct divide document documents drop effect
end ends ensure ensures equals evaluate evaluates exceed exceeds exist exists expect expects explain explains express
extend extends fail fails failure fall falls fill find finds finish finishes fit fix follow follows form forms found
function functions give gives go goes guarantee handle handles happen happens help helps hold holds ignore ignores
implement implements implementation imply implies include includes indicate indicates inform inherit inherits instance
instances intend introduce introduces invoke invokes involve involves join keep keeps kept kind know knows known lead
leads leave leaves left limit limits list lists look looks loop loops manage manages mark marks match matches matter
mean means mention merge method methods modify modifies move moves name names note notes object objects obtain obtains
occur occurs offer offers omit omits open operate operation operations option options order outcome output override
overrides part parts pass passes perform performs place places point points prepare prepares prevent prevents process
processes produce produces property provide provides purpose put puts raise raises reach reaches read reads reason
reasons receive receives reduce reduces refer refers reflect reject rejects rely remain remains remember remove
removes repeat repeats replace replaces report reports represent represents require requires respond respect
responsible rest result results return returns returned reuse role rule rules run runs say says see seem seems select
selects send sends serve serves set sets share show shows shown sign similarly skip skips sort source sources specify
specifies stand start starts state states stay stays step steps stop stops store stores suppose support supports
switch take takes taken task tell tells test tests throw throws time times tries try trying turn turns understand
update updates value values vary verify version wait waits want wants way ways work works wrap wraps write writes
written yield yields argument arguments attribute attributes block body boolean bug class classes code command
constant constants constructor context data decorator description detail details docstring element elements entry
entries enum error errors example examples exception exceptions expression field fields file files flag flags folder
information input integer interface item items key keys keyword level line lines logic macro member members message
messages module modules number numbers operator package packages parameter parameters path paths pattern patterns
piece pieces position project program programs reference references repository request section sentence setting
settings signature statement statements string strings struct structure subclass symbol symbols syntax table text
texts thing things total trait type types unit user users variable variables word words zero half double twice named
naming moved moving noted typed sized timed giving taking coming validate signal signals amount amounts size sizes
length range rate portion percent percentage fraction minimum maximum sum average bit library libraries whatever
whichever whenever wherever whoever
"""
_KNOWN = frozenset(stem(word) for word in _WORDS.split())


def is_ordinary(word: str) -> bool:
    """Whether a lower-case word explains, in any form, rather than names."""
    return len(word) < 3 or stem(word) in _KNOWN or word.endswith("ly")
