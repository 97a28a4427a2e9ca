# SPDX-License-Identifier: GPL-2.0-only
"""Turn a trial into measurements and verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from uaccel.count import PathCount, count_path, floor
from uaccel.flow.bench import Bench, Trial
from uaccel.flow.patches import CHECKS
from uaccel.flow.targets import subjects
from uaccel.model.dossier import Subject
from uaccel.model.judgement import Evidence, Measurement, Verdict
from uaccel.model.machine import Listing
from uaccel.model.run import Run
from uaccel.model.source import Cluster

ABSENT = "this configuration does not compile the function"
FAILED = "it does not compile"
EXECUTED = ("executed_instructions", "executed_toggles")
AS_SYMBOL = "noinline where it fits"  # a system call or an inline function is found by lines


def measurements(trial: Trial) -> Iterator[Measurement]:
    """Yield the figures of every cluster that stands in the draft's style."""
    draft = trial.draft
    for number, subject in enumerate(subjects(draft.target)):
        if draft.clusters_in(number):
            style = draft.style or subject.form
            # What a style left outside of its windows still costs what it did.
            yield from _of_cluster(trial, subject, together(draft.became(number)), style)


def executions(trial: Trial, run: Run | None, why: str = "") -> Iterator[Measurement]:
    """Yield what one call executed in which nothing faults; `why` there was none."""
    ended = why if run is None else run.ended
    values = (
        (None, None) if run is None or ended else (run.instructions, run.openings + run.closings)
    )
    style, bench = style_of(trial), trial.bench
    for what, value, unit in zip(EXECUTED, values, ("instructions", "toggles"), strict=True):
        yield Measurement(
            cluster=trial.draft.target.name,
            style=style,
            arch=bench.arch.name,
            compiler=bench.toolchain.name,
            config=config(bench),
            what=what,
            value=value,
            unit=unit,
            why=ended,
        )


def together(clusters: tuple[Cluster, ...]) -> Cluster:
    """Return what a cluster became as one: several windows are counted as one path through all."""
    if len(clusters) == 1:
        return clusters[0]
    lines = sorted({line for cluster in clusters for line in cluster.lines})
    made = tuple(access for cluster in clusters for access in cluster.accesses)
    return replace(clusters[0], lines=tuple(lines), accesses=made)


def counted_path(trial: Trial, listing: Listing, cluster: Cluster) -> PathCount:
    """Return what the success path of `cluster` costs in `listing`, the function of `trial`."""
    file = str(trial.draft.target.reading.source.path)
    return count_path(listing, file, cluster.lines, len(cluster.accesses), trial.bench.helpers)


def config(bench: Bench) -> str:
    """Return what is said of the configuration beside every figure."""
    return f"{bench.arch.config_name}, {AS_SYMBOL}"


def verdicts(trial: Trial) -> Iterator[Verdict]:
    """Yield what the checks make of one build."""
    style = style_of(trial)
    evidence = Evidence(build=trial.build, listing=trial.listing)
    # Where objtool does not look at windows there is nothing that it could have said.
    asked = ("compiles", *(() if trial.build.objtool is None else ("objtool",)))
    if trial.object is None or trial.listing is not None:  # else the function is not compiled here
        asked = (*asked, "closed")
    for name in asked:
        judgement = CHECKS[name].judge(evidence)
        yield Verdict(
            name,
            trial.draft.target.name,
            style,
            trial.bench.arch.name,
            judgement.outcome,
            judgement.why,
        )


def style_of(trial: Trial) -> str:
    """Return the style of a trial, or the form in which the function stands."""
    return trial.draft.style or _form(trial)


def _form(trial: Trial) -> str:
    forms = {cluster.reported.value for cluster in trial.draft.written.function.clusters}
    return forms.pop() if len(forms) == 1 else "as it is"


def _of_cluster(
    trial: Trial, subject: Subject, cluster: Cluster, style: str
) -> Iterator[Measurement]:
    bench, listing = trial.bench, trial.listing

    absent = trial.object is not None and listing is None

    def figure(
        what: str, value: int | None, unit: str, why: str = "", at_least: int | None = None
    ) -> Measurement:
        return Measurement(
            cluster=subject.id,
            style=style,
            arch=bench.arch.name,
            compiler=bench.toolchain.name,
            config=config(bench),
            what=what,
            value=value,
            unit=unit,
            why=why,
            at_least=at_least,
            absent=absent and value is None,
        )

    yield figure(
        "floor_instructions", floor(bench.arch, subject.accesses, cluster.direction), "instructions"
    )
    if trial.object is None or listing is None:
        why = ABSENT if absent else FAILED
        yield figure("path_instructions", None, "instructions", why)
        yield figure("path_toggles", None, "toggles", why)
        return
    path = counted_path(trial, listing, cluster)
    bound = path.at_least if path.instructions is None and path.at_least else None
    yield figure("path_instructions", path.instructions, "instructions", path.why, bound)
    yield figure("path_toggles", path.toggles, "toggles", path.why if path.toggles is None else "")
    yield figure("function_instructions", len(listing.insns), "instructions")
    yield figure("text_bytes", listing.size, "bytes")
    yield figure("extable_entries", listing.extable_entries, "entries")
