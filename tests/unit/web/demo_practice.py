"""A fictional practice in memory that drives the pages: `services.Practice` without any vault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

from demo_house import DemoHouse
from demo_people import Person
from demo_records import NOW, DemoStudy, built, clinical, image, objects, picture, ref, studies

from serment.app.prove.thief import Haul, what_a_thief_reads
from serment.core.dicom.folding import fold
from serment.core.records.vault import EnvelopeKind, Role
from serment.entrypoints.demo.reports import sections
from serment.entrypoints.web import views as v
from serment.errors import N_, AccessDenied, Conflict, FormatError, NotFound

PAGE = 8


class DemoPractice(DemoHouse):
    """Doctors of two circles, a secretary, a DPO; the twelfth study waits to be filed."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 1
        self.receiving = 0
        self.filed: dict[str, str] = {}
        self.uploads: list[tuple[str, str, bytes]] = []
        self.queries: list[v.StudyQuery] = []

    def pulse(self, session: str) -> v.Pulse:
        to_file = len(self._waiting()) if "secretariat" in self.person(session).circles else 0
        return v.Pulse(self.version, to_file, self.receiving, self.left(session))

    def home(self, session: str) -> v.HomeView:
        person = self.person(session)
        kit_here = self.kit.shares_here >= 2
        objects_, patients = (0, 0) if self.empty else (len(objects()), 13)
        state, names = v.State, v.FactName
        facts = (
            v.Fact(names.OBJECTS_SEALED, state.GOOD, self.now, {"objects": objects_, "damaged": 0}),
            v.Fact(names.KEYS_AWAY, state.GOOD, self.now, {"wraps": 412}),
            v.Fact(
                names.KIT_AWAY,
                state.BAD if kit_here else state.GOOD,
                self.now,
                {"shares": self.kit.shares_here},
            ),
            v.Fact(
                names.OPEN_SESSIONS,
                state.ATTENTION,
                self.now,
                {"sessions": len(self.open), "circles": ("care", "secretariat")},
            ),
            v.Fact(names.JOURNAL_WHOLE, state.GOOD, self.now, {"entries": 1284}),
            v.Fact(names.SWAP, state.UNKNOWN, None),
        )
        names_ = v.TodoName
        todo = [v.Todo(names_.KIT_HERE)] if kit_here else []
        if "secretariat" in person.circles and not self.empty:
            todo += [v.Todo(names_.TO_FILE, len(self._waiting())), v.Todo(names_.ADMIT)]
        if not person.second_factor:
            todo.append(v.Todo(names_.SECOND_FACTOR))
        if Role.ADMINISTRATOR in person.roles:
            todo.append(v.Todo(names_.KIT_TRIED))
        loss = what_a_thief_reads(Haul(patients, objects_, self.kit.shares_here))
        return v.HomeView(
            reach=loss.reach,
            objects=objects_,
            patients=patients,
            readable_patients=loss.readable_patients,
            to_file=len(self._waiting()) if "secretariat" in person.circles else None,
            last_reception=None if self.empty else NOW - timedelta(minutes=14),
            receiving=True,
            kit=self.kit,
            open_sessions=len(self.open),
            facts=facts,
            todo=tuple(todo),
        )

    # Studies

    def _all(self) -> list[DemoStudy]:
        return [] if self.empty else list(studies())

    def _waiting(self) -> list[DemoStudy]:
        return [each for each in self._all() if each.slipped and each.ref not in self.filed]

    def _study(self, study_ref: str) -> DemoStudy:
        for each in self._all():
            if each.ref == study_ref:
                return each
        raise NotFound(N_("there is no such study"), hint=N_("go back to the list"))

    def _object(self, session: str, object_id: str) -> DemoStudy:
        for each in self._all():
            if any(one.id == object_id for one in each.objects):
                self.person(session, each.circle)
                return each
        raise NotFound(N_("there is no such study"), hint=N_("go back to the list"))

    def worklist(self, session: str, query: v.StudyQuery) -> v.Worklist:
        person = self._knows_names(session)
        self.queries.append(query)
        found = [each for each in self._all() if self._matches(each, query)]
        start = (query.page - 1) * PAGE
        return v.Worklist(
            tuple(self._line(each, person) for each in found[start : start + PAGE]),
            len(found),
            query.page,
            max(1, -(-len(found) // PAGE)),
            tuple(sorted({each.modality for each in self._all()})),
            self.version,
        )

    def _knows_names(self, session: str) -> Person:
        person = self.person(session)
        if not {"secretariat", "dpo"} & set(person.circles):
            raise AccessDenied(
                N_("no key: this session cannot open names and identifiers"),
                hint=N_("ask a secretary, a doctor or the DPO"),
            )
        return person

    def _matches(self, study: DemoStudy, query: v.StudyQuery) -> bool:
        name = fold(query.name).strip("*")
        return (
            name in fold(study.who.name)
            and query.modality in ("", study.modality)
            and query.birth_date in (None, study.who.birth_date)
            and (query.date_from or date.min) <= study.date <= (query.date_to or date.max)
            and not (query.to_file and study not in self._waiting())
        )

    def _line(self, study: DemoStudy, person: Person) -> v.StudyLine:
        key = study.circle in person.circles
        images = study.images
        return v.StudyLine(
            ref=study.ref,
            who=study.who,
            patient=None if study in self._waiting() else study.patient,
            date=study.date,
            time=study.time,
            modalities=(study.modality,),
            accession=study.planned.study.accession,
            arrived=study.arrived,
            device=study.device,
            key=key,
            description=study.planned.study.description if key else "",
            series=len({each.series for each in study.objects}) if key else None,
            images=len(images) if key else None,
            conflicts=1 if study.number == 8 and key else 0,
            thumbnail=images[len(images) // 2].id if key and images else None,
        )

    def study(self, session: str, ref: str) -> v.StudyView:
        person = self._knows_names(session)
        study = self._study(ref)
        key = study.circle in person.circles
        return v.StudyView(
            ref=ref,
            who=study.who,
            patient=None if study in self._waiting() else study.patient,
            date=study.date,
            time=study.time,
            modalities=(study.modality,),
            accession=study.planned.study.accession,
            description=study.planned.study.description if key else "",
            key=key,
            holders=(study.circle,),
            series=self._series(study) if key else (),
        )

    def _series(self, study: DemoStudy) -> tuple[v.Series, ...]:
        series = []
        for number in sorted({each.series for each in study.objects}):
            items = [each for each in study.objects if each.series == number]
            kind = items[0].kind
            pictured = kind is EnvelopeKind.IMAGE
            images = tuple(
                image(each.id) if pictured else v.Image(each.id, 1, 0, 0) for each in items
            )
            found = clinical(items[0].id)
            text = str(found.get("SeriesDescription", ""))
            series.append(v.Series(number, str(found["Modality"]), text, "", kind, images))
        return tuple(series)

    def thumbnail(self, session: str, object_id: str) -> v.Picture:
        self._object(session, object_id)
        return picture(object_id, 1, None, 160)

    def frame(
        self,
        session: str,
        object_id: str,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
    ) -> v.Picture:
        self._object(session, object_id)
        if self.damaged:
            raise FormatError(N_("this image cannot be decoded"), hint=N_("choose another one"))
        return picture(object_id, frame, window, size)

    def report(self, session: str, object_id: str) -> v.Report:
        study = self._object(session, object_id)
        lines = []
        for title, sentences in sections(study.planned.study, study.number):
            lines.append(v.ReportLine(0, title.capitalize(), ""))
            lines += [v.ReportLine(1, "", sentence) for sentence in sentences]
        return v.Report("Compte rendu fictif", tuple(lines), study.who, study.ref, self.now)

    def document(self, session: str, object_id: str) -> v.Document:
        self._object(session, object_id)
        data = built(object_id)
        pdf = data[data.index(b"%PDF") : data.rindex(b"%%EOF") + 5]
        return v.Document(iter([pdf[:1000], pdf[1000:]]), len(pdf))

    # Patients

    def patients(self, session: str, text: str, page: int) -> v.PatientList:
        self._knows_names(session)
        lines: dict[str, v.PatientLine] = {}
        for each in self._all():
            if fold(text).strip("*") in fold(each.who.name) and not each.slipped:
                known = lines.get(each.patient)
                count = known.studies + 1 if known else 1
                lines[each.patient] = v.PatientLine(each.patient, each.who, count, each.date)
        found = sorted(lines.values(), key=lambda line: fold(line.who.name))
        start = (page - 1) * PAGE
        pages = max(1, -(-len(found) // PAGE))
        return v.PatientList(tuple(found[start : start + PAGE]), len(found), page, pages)

    def patient(self, session: str, patient: str) -> v.PatientView:
        person = self._knows_names(session)
        theirs = [each for each in self._all() if each.patient == patient and not each.slipped]
        if not theirs:
            raise NotFound(N_("there is no such patient"), hint=N_("go back to the list"))
        items = [item for study in theirs for item in self._items(study, person)]
        readers = (
            v.Reader("a.perichon", (Role.DOCTOR,), "image", NOW - timedelta(hours=2), 3),
            v.Reader("m.laurent", (Role.SECRETARY,), "identity", NOW - timedelta(days=1), 1),
        )
        care = {"care", "echo"} & set(person.circles)
        return v.PatientView(
            id=patient,
            who=theirs[0].who,
            timeline=tuple(sorted(items, key=lambda item: item.arrived, reverse=True)),
            readers=readers if care or "dpo" in person.circles else None,
            key=bool(care),
            may_upload="secretariat" in person.circles,
            circles=tuple(sorted({each.circle for each in theirs})),
        )

    def _items(self, study: DemoStudy, person: Person) -> list[v.Item]:
        line = self._line(study, person)
        image_item = v.Item(
            EnvelopeKind.IMAGE,
            study.ref,
            study.date,
            study.arrived,
            line.description,
            (study.modality,),
            study.device,
            line.key,
            line.images,
            line.thumbnail,
        )
        letters = [
            replace(
                image_item,
                kind=EnvelopeKind.DOCUMENT,
                ref=each.id,
                title="Courrier fictif" if line.key else "",
                modalities=(),
                source="m.laurent",
                images=None,
                thumbnail=None,
            )
            for each in study.objects
            if each.kind is EnvelopeKind.DOCUMENT
        ]
        return [image_item, *letters]

    async def upload(
        self, session: str, patient: str, title: str, body: AsyncIterator[bytes]
    ) -> str:
        data = b"".join([chunk async for chunk in body])
        if not data.startswith(b"%PDF-"):
            raise FormatError(
                N_("this is not a PDF document"), hint=N_("choose a file that ends in .pdf")
            )
        self.uploads.append((patient, title, data))
        return ref("upload", len(self.uploads))

    # Filing

    def to_file(self, session: str) -> v.ToFile:
        self.person(session, "secretariat")
        filed = tuple(
            v.Filed(each.ref, each.patient, each.who, (each.modality,), each.date, by, each.arrived)
            for each, by in ((studies()[11], "m.laurent"), (studies()[0], ""))
            if each.ref in self.filed or not by
        )
        return v.ToFile(tuple(map(self._arrival, self._waiting())), () if self.empty else filed)

    def _arrival(self, study: DemoStudy) -> v.Arrival:
        same, different, missing = v.Agreement.SAME, v.Agreement.DIFFERENT, v.Agreement.MISSING
        known = next((e for e in studies() if e.patient == study.patient and not e.slipped), None)
        candidates = []
        if known is not None:
            fields = {"name": same, "birth_date": different, "sex": same, "identifiers": same}
            candidates.append(v.Candidate(study.patient, known.who, 2, fields))
            fields = {"name": different, "birth_date": different, "sex": same}
            other = replace(
                studies()[0].who, name="SAINT-CHERONET Gregoire", sex="M", identifiers=()
            )
            fields["identifiers"] = missing
            candidates.append(v.Candidate(studies()[0].patient, other, 1, fields))
        return v.Arrival(
            study.ref,
            EnvelopeKind.IMAGE,
            study.who,
            study.date,
            (study.modality,),
            study.planned.study.accession,
            study.device,
            study.circle,
            study.arrived,
            tuple(candidates),
        )

    def file(self, session: str, envelope: str, patient: str | None) -> str:
        self.person(session, "secretariat")
        if envelope in self.filed:
            raise Conflict(
                N_("this arrival has been filed already"), hint=N_("look at the list again")
            )
        self.filed[envelope] = patient or ref("new patient", envelope)
        self.version += 1
        return self.filed[envelope]

    def unfile(self, session: str, envelope: str) -> None:
        self.person(session, "secretariat")
        self.filed.pop(envelope, None)
        self.version += 1
