"""The whole story, told and checked: a course is created, worked in, distributed to, restored from and recalled from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.demo.material import Student, do_student_work, revise_course, write_course
from nuvo_jupyter.demo.observe import Files, differing, files_in, files_of, parts_of
from nuvo_jupyter.demo.place import DISTRIBUTED, MASTER, SPACE, Place
from nuvo_jupyter.demo.report import Report
from nuvo_jupyter.demo.set_up import SEED, opened, roster_csv
from nuvo_jupyter.demo.student_work import WEEK_3
from nuvo_jupyter.demo.tour import CHANGED, write_tour
from nuvo_jupyter.demo.ways import Way
from nuvo_jupyter.model.tasks import Delivery, Distribution, DistributionKind, TaskKind, TaskState

MISTAKE = "exam/solutions.md"
LATE = Student("late", "Lata Kapoor", "late@example.org")


class Story:
    """The story in one folder.

    Args:
        place: claimed and empty.
        way: how its people do things.
        report: where to tell what happened.
        students: the class; ``anna`` and ``ben`` are in it.
    """

    def __init__(self, place: Place, way: Way, report: Report, students: list[Student]) -> None:
        self.place, self.way, self.report, self.students = place, way, report, students
        self.first: Files = {}
        self.before: dict[str, Files] = {}
        self.parts: dict[tuple[str, str], Counter[str]] = {}
        self.deliveries: dict[str, Delivery] = {}

    def tell(self) -> None:
        """Tell it from the beginning to the end.

        Raises:
            StepFailed, NuvoError: a step could not be done at all.
        """
        self.create()
        self.work()
        self.distribute()
        self.merged()
        self.restore()
        self.recall()
        self.prove()

    def create(self) -> None:
        """The instructor creates the course and hands it out."""
        count = len(self.students)
        self.report.step(f"The instructor creates the course with {count} students and hands it out")
        write_course(self.place.master)
        self.first = files_in(self.place.master)
        size = sum(path.stat().st_size for path in self.place.master.rglob("*") if path.is_file())
        self.report.figure(f"{len(self.first)} files, {size / 1e6:.1f} MB")
        self.way.create(self.students, lambda *_: None)
        with opened(self.place) as client:
            names = {row.reference for row in client.instance_list(space=SPACE)}
            self.report.check(
                len(names) == count + 2 and {MASTER, DISTRIBUTED} < names,
                f"there are Master, Distributed and {count} student instances",
                len(names),
            )
            self._all_done(self._newest(client))
        folders = [self._folder(student) for student in self.students]
        self.report.none(
            (str(folder) for folder in folders if files_in(folder) != self.first),
            "everybody has exactly the course",
        )

    def work(self) -> None:
        """Everybody works."""
        self.report.step("Students work in their copies; the instructor revises the course")
        done = [(student, do_student_work(self._folder(student), student, SEED)) for student in self.students]
        for student, lines in done[:2]:
            self.report.figure(
                f"{student.username}: {lines[0] if lines else 'nothing yet'}; {max(0, len(lines) - 1)} more"
            )
        for line in revise_course(self.place.master):
            self.report.figure(f"instructor: {line}")
        write_tour(self.place.master)
        for student in self.students:
            self.before[student.username] = files_in(self._folder(student))
            for path in CHANGED:
                if (self._folder(student) / path).exists():
                    self.parts[student.username, path] = parts_of(self._folder(student) / path)
        own = sum(len(files.keys() - self.first.keys()) for files in self.before.values())
        edited = sum(
            path in self.first and content != self.first[path]
            for files in self.before.values()
            for path, content in files.items()
        )
        deleted = sum(len(self.first.keys() - files.keys()) for files in self.before.values())
        self.report.figure(f"students have edited {edited} files, added {own} and deleted {deleted}")

    def distribute(self) -> None:
        """The instructor distributes the revision to all."""
        self.report.step(f"Snapshot, stage, preview and distribution to all with merge ({self.way.name})")
        self.way.distribute()
        with opened(self.place) as client:
            taken = client.snapshot_list(instance=MASTER)
            self.report.check(
                any(row.name == "Week 4" for row in taken),
                "the snapshot “Week 4” was taken",
                [row.name for row in taken],
            )
            distribution = self._newest(client)
            self._all_done(distribution)
            found = [client.delivery_show(id=task.id) for task in distribution.deliveries]
            self.deliveries = {_name(delivery.task.instance): delivery for delivery in found}
            total: Counter[str] = Counter()
            for delivery in found:
                total.update(delivery.task.counts)
            self.report.figure(", ".join(f"{number} {outcome}" for outcome, number in sorted(total.items())))
            self._preview_was_right(client)
            self._backups_are_right(client)

    def merged(self) -> None:
        """What the distribution did to everybody's files."""
        self.report.step("What students have now")
        self._annas_notebook()
        now = {student.username: files_in(self._folder(student)) for student in self.students}
        wanted = files_in(self.place.master)
        own, edited, replaced, beside = [], [], [], []
        merges = 0
        for username, before in self.before.items():
            after, outcomes = now[username], {item.path: item for item in self.deliveries[username].outcomes}
            told = {item.at for item in outcomes.values() if item.at}
            beside += [f"{username}: {path}" for path in after.keys() - before.keys() - told - set(CHANGED)]
            for path, content in before.items():
                if path not in CHANGED:
                    own += [f"{username}: {path}"] if after.get(path) != content else []
                elif content == self.first.get(path):
                    replaced += [f"{username}: {path}"] if after.get(path) != wanted[path] else []
                else:
                    merges += after.get(path) != content
                    missed = self.parts[username, path] - parts_of(self._folder_of(username) / path)
                    edited += [f"{username}: {path}"] if self._lost(path, missed) else []
        self.report.none(own, "no file outside of what was distributed was touched")
        self.report.none(
            edited, f"in the files edited on both sides ({merges} merged) nothing of the students' is lost"
        )
        self.report.none(replaced, "what students had not touched is the new version")
        self.report.none(beside, "nothing else appeared")
        still = [
            f"{username}: {path}"
            for username, before in self.before.items()
            for path in self.first.keys() - before.keys()
            if path in now[username]
        ]
        self.report.none(still, "what students had deleted stays deleted")

    def restore(self) -> None:
        """Anna restores one file from the backup."""
        self.report.step("Anna restores her week 3 notebook from the backup snapshot")
        folder = self._folder_of("anna")
        before, merged = files_in(folder), (folder / WEEK_3).read_bytes()
        backup = self.deliveries["anna"].task.backup or ""
        self.way.restore("anna", int(backup.rpartition("@")[2]), WEEK_3)
        after = files_in(folder)
        self.report.check(
            after[WEEK_3] == self.before["anna"][WEEK_3], "it is again as it was before the distribution"
        )
        self.report.none(
            (path for path in differing(before, after) if path != WEEK_3), "no other file of hers has changed"
        )
        with opened(self.place, "anna") as client:
            newest = client.snapshot_list(instance=f"{SPACE}/anna")[0]
            kept = b"".join(client.read(state=f"{newest.reference}:{WEEK_3}").body)
            self.report.check(
                kept == merged,
                f"the merged version is in snapshot {newest.number} ({newest.reason.value.replace('_', ' ')})",
            )

    def recall(self) -> None:
        """The instructor takes a mistake back."""
        self.report.step("The instructor distributes the wrong file, and recalls it")
        master = self.place.master / MISTAKE
        master.parent.mkdir()
        master.write_text("# Solutions of the exam\n\n42\n", encoding="utf-8")
        self.way.send(MISTAKE)
        copies = [self._folder(student) / MISTAKE for student in self.students]
        self.report.none((str(path) for path in copies if not path.exists()), "everybody got it")
        bens = self._folder_of("ben") / MISTAKE
        bens.write_text(bens.read_text(encoding="utf-8") + "\nThanks! Ben\n", encoding="utf-8")
        self.way.recall(MISTAKE)
        self.report.none(
            (str(path) for path in copies if path.exists() and path != bens),
            "it is gone from everybody but Ben",
        )
        self.report.check(
            bens.exists() and "Thanks" in bens.read_text(encoding="utf-8"),
            "Ben, who has written into it, keeps his copy",
        )
        self.report.check(master.exists(), "Master still has it")
        with opened(self.place) as client:
            task = self._newest(client, DistributionKind.RECALL)
            self._all_done(task)
            mine = next(row for row in task.deliveries if _name(row.instance) == "ben")
            kept = [item for item in client.delivery_show(id=mine.id).outcomes if item.path == MISTAKE]
            self.report.check(
                [item.outcome.value for item in kept] == ["kept"], "the recall lists Ben's copy as kept", kept
            )
            client.finish(client.roster_add(space=SPACE, people=roster_csv([LATE])))
            late = files_in(self.place.workspace(LATE.username))
            distributed = files_in(Path(client.instance_show(instance=DISTRIBUTED).workspace))
        self.report.check(
            late == distributed and MISTAKE not in late and all(path in late for path in CHANGED),
            "a late joiner starts with everything distributed, without what was recalled",
            differing(late, distributed),
        )

    def prove(self) -> None:
        """Store and audit trail at the end."""
        self.report.step("Store and audit trail")
        self.way.verify()
        with opened(self.place) as client:
            found = client.verify_show(id=client.finish(client.verify()).id)
            self.report.check(
                found.ok,
                f"the store is sound: {found.packs} packs, {found.blobs} blobs, {found.snapshots} snapshots, "
                f"{found.size / 1e6:.1f} MB",
                found.damage,
            )
            entries = client.audit_list(limit=10_000)
            by = {action: sorted({row.who for row in entries if row.action == action}) for action in _ACTIONS}
            instructor = client.status().username
            self.report.check(
                all(by[action] == [instructor] for action in _ACTIONS[:-1]) and by["restore"] == ["anna"],
                f"the audit trail ({len(entries)} entries) says who did what",
                by,
            )
            off = [f"{row.action} by {row.who}: {row.outcome}" for row in entries if row.outcome != "ok"]
            self.report.none(off, "every entry says ok")
            running = client.task_list(space=SPACE, active=True)
            self.report.check(not running, "no task is left over", running)

    def _all_done(self, distribution: Distribution) -> None:
        states = Counter(task.state for task in distribution.deliveries if task.instance != DISTRIBUTED)
        count = len(self.students)
        self.report.check(
            states == {TaskState.DONE: count} and distribution.task.state is TaskState.DONE,
            f"{count} deliveries are done",
            {str(state): number for state, number in states.items()},
        )

    def _preview_was_right(self, client: Client) -> None:
        task = next(row for row in client.task_list(space=SPACE) if row.kind is TaskKind.PREVIEW)
        foreseen = {_name(target.instance): target for target in client.preview(task).targets}
        self.report.check(foreseen.keys() == self.deliveries.keys(), "the preview named every target")
        wrong = [
            name
            for name, delivery in self.deliveries.items()
            if foreseen[name].counts != delivery.task.counts or foreseen[name].outcomes != delivery.outcomes
        ]
        objects = sum(len(target.outcomes) for target in foreseen.values())
        self.report.none(wrong, f"the preview's {objects} outcomes are what happened")

    def _backups_are_right(self, client: Client) -> None:
        missing = [name for name, delivery in self.deliveries.items() if not delivery.task.backup]
        self.report.none(missing, "each target has a backup snapshot")
        wrong = [
            f"{name}: {path}"
            for name, before in self.before.items()
            if (backup := self.deliveries[name].task.backup)
            for path in differing(files_of(client, backup), before)
        ]
        self.report.none(wrong, "each backup holds exactly what was there before")

    def _annas_notebook(self) -> None:
        import nbformat

        path = self._folder_of("anna") / WEEK_3
        now = parts_of(path)
        hers = self.parts["anna", WEEK_3] - parts_of(self._course_file(WEEK_3))
        new = parts_of(self.place.master / WEEK_3) - parts_of(self._course_file(WEEK_3))
        self.report.check(
            not hers - now and not new - now,
            f"anna's week 3 has her {hers.total()} new or answered cells and the instructor's {new.total()}",
            [*(hers - now), *(new - now)],
        )
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        problem = nbformat.validator.isvalid(notebook)
        ids = Counter(cell["id"] for cell in notebook.cells)
        self.report.check(
            problem and ids.total() == len(ids), f"it is a valid notebook of {len(notebook.cells)} cells"
        )

    def _lost(self, path: str, missed: Counter[str]) -> Counter[str]:
        """What is missing of a student's that was not the instructor's own former text."""
        return missed - parts_of(self._course_file(path))

    def _course_file(self, path: str) -> Path:
        folder = self.place.folder / "course"
        if not folder.exists():
            write_course(folder)
        return folder / path

    def _newest(self, client: Client, kind: DistributionKind = DistributionKind.DISTRIBUTE) -> Distribution:
        newest = next(row for row in client.distribution_list(space=SPACE) if row.kind is kind)
        found: Distribution = client.distribution_show(id=newest.id)
        return found

    def _folder(self, student: Student) -> Path:
        return self._folder_of(student.username)

    def _folder_of(self, username: str) -> Path:
        return self.place.workspace(username)


_ACTIONS = (
    "space_create",
    "roster_add",
    "snapshot_create",
    "stage_add",
    "distribute",
    "recall",
    "verify",
    "restore",
)


def _name(instance: str | None) -> str:
    return (instance or "").rpartition("/")[2]
