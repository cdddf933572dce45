//! What holds a file until somebody approves it.

use super::super::control::Control;
use super::{Group, NO, Section, Setting, setting, w};
use crate::import::codes::Words;

pub(super) fn guards() -> Section {
    Section {
        slug: "guards",
        title: w("Guards", "Garde-fous", "Schutzgrenzen"),
        about: w(
            "A file that would change unusually much is held: nothing of it is applied until somebody approves it.",
            "Un fichier qui changerait trop de choses est mis en attente\u{a0}: rien n’est appliqué avant une approbation.",
            "Eine Datei, die ungewöhnlich viel ändern würde, wird angehalten: Nichts wird übernommen, bis jemand sie freigibt.",
        ),
        groups: vec![
            Group { title: w("Limits", "Limites", "Grenzen"), settings: LIMITS },
            Group { title: w("Others", "Autres", "Weitere"), settings: OTHERS },
        ],
    }
}

const fn limit(name: &'static str, label: Words, hint: Words, count: u64, percent: u32) -> Setting {
    setting(name, label, hint, w("", "", ""), Control::Limit(count, percent))
}

const OF_ACTIVE: Words = w(
    "Counted in active people; a limit trips when both are passed, the number and the share.",
    "Compté en personnes actives\u{a0}; une limite se déclenche quand le nombre et la part sont dépassés tous deux.",
    "Gezählt in aktiven Personen; eine Grenze greift, wenn Anzahl und Anteil beide überschritten sind.",
);

const LIMITS: &[Setting] = &[
    limit(
        "guards.endings",
        w(
            "Contracts that end (G601)",
            "Contrats qui prennent fin (G601)",
            "Verträge, die enden (G601)",
        ),
        OF_ACTIVE,
        5,
        10,
    ),
    limit(
        "guards.creations",
        w("New users (G602)", "Nouveaux utilisateurs (G602)", "Neue Benutzer (G602)"),
        w(
            "Share of the active people before the file; never on a client’s first import.",
            "Part des personnes actives avant le fichier\u{a0}; jamais au premier import d’un client.",
            "Anteil an den aktiven Personen vor der Datei; nie beim ersten Import eines Kunden.",
        ),
        50,
        30,
    ),
    limit(
        "guards.one_field",
        w(
            "One and the same field changes (G603)",
            "Un même champ change (G603)",
            "Dasselbe Feld ändert sich (G603)",
        ),
        w(
            "A column filled by mistake. A blank that is filled does not count.",
            "Une colonne remplie par erreur. Un champ vide qui est rempli ne compte pas.",
            "Eine versehentlich gefüllte Spalte. Ein gefülltes leeres Feld zählt nicht.",
        ),
        20,
        50,
    ),
    limit(
        "guards.fewer_rows",
        w(
            "Fewer rows than last time (G604)",
            "Moins de lignes que la dernière fois (G604)",
            "Weniger Zeilen als zuletzt (G604)",
        ),
        w(
            "An export that was cut short: rows fewer than in the last applied full file.",
            "Un export tronqué\u{a0}: lignes de moins que dans le dernier fichier complet appliqué.",
            "Ein abgebrochener Export: weniger Zeilen als in der letzten übernommenen vollständigen Datei.",
        ),
        5,
        20,
    ),
    limit(
        "guards.reopenings",
        w(
            "Contract ends lifted or moved later (G609)",
            "Fins de contrat levées ou repoussées (G609)",
            "Vertragsenden aufgehoben oder verschoben (G609)",
        ),
        OF_ACTIVE,
        5,
        10,
    ),
];

const OTHERS: &[Setting] = &[
    setting(
        "guards.whole_entity",
        w(
            "A whole legal entity is missing (G605)",
            "Une entité légale entière manque (G605)",
            "Eine ganze Gesellschaft fehlt (G605)",
        ),
        w(
            "Yes: the file waits for approval.",
            "Oui\u{a0}: le fichier attend une approbation.",
            "Ja: Die Datei wartet auf Freigabe.",
        ),
        w("yes", "oui", "ja"),
        Control::YesNo,
    ),
    setting(
        "approve_by_file",
        w(
            "Approve by a dropped file",
            "Approuver par un fichier déposé",
            "Freigabe durch eine abgelegte Datei",
        ),
        w(
            "Yes: an empty file users.csv.approve-… next to the held users.csv approves it (the report says the name), users.csv.discard-… discards it.",
            "Oui\u{a0}: un fichier vide users.csv.approve-… à côté de users.csv en attente l’approuve (le rapport donne le nom), users.csv.discard-… l’abandonne.",
            "Ja: Eine leere Datei users.csv.approve-… neben der angehaltenen users.csv gibt sie frei (der Bericht nennt den Namen), users.csv.discard-… verwirft sie.",
        ),
        NO,
        Control::YesNo,
    ),
];
