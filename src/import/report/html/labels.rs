//! The words of the page that are no messages.

use crate::import::codes::Words;
use crate::model::Language;

macro_rules! labels {
    ($($name:ident $en:literal $fr:literal $de:literal;)+) => {
        /// The words of the page in one language.
        pub(super) struct Labels { $(pub(super) $name: &'static str),+ }

        impl Labels {
            pub(super) fn of(language: Language) -> Self {
                Self { $($name: Words { en: $en, fr: $fr, de: $de }.get(language)),+ }
            }
        }
    };
}

labels! {
    report "Import report" "Rapport d’import" "Importbericht";
    skip "Skip to the messages" "Aller aux messages" "Zu den Meldungen springen";
    summary "Summary" "Résumé" "Zusammenfassung";
    rows "Rows by what they became" "Lignes selon leur résultat" "Zeilen nach ihrem Ergebnis";
    rows_planned "Rows by what they would become" "Lignes selon leur résultat prévu" "Zeilen nach ihrem voraussichtlichen Ergebnis";
    next "What to do next" "Que faire maintenant" "Was jetzt zu tun ist";
    operator "Command for the operator:" "Commande pour l’exploitant\u{a0}:" "Befehl für den Betreiber:";
    guards "Guards" "Garde-fous" "Schutzgrenzen";
    guards_note "A guard holds a file that would change unusually much, until somebody has looked at it." "Un garde-fou met en attente un fichier qui changerait inhabituellement beaucoup de choses, jusqu’à ce que quelqu’un l’ait vérifié." "Eine Schutzgrenze hält eine Datei an, die ungewöhnlich viel ändern würde, bis jemand sie angesehen hat.";
    guard "Guard" "Garde-fou" "Schutzgrenze";
    limit "Limit" "Limite" "Grenze";
    found "In this file" "Dans ce fichier" "In dieser Datei";
    verdict "Result" "Résultat" "Ergebnis";
    tripped "Holds the file" "Met le fichier en attente" "Hält die Datei an";
    passed "In order" "En ordre" "In Ordnung";
    pending "Rows that wait for a decision" "Lignes en attente d’une décision" "Zeilen, die auf eine Entscheidung warten";
    pending_row "Proposal" "Proposition" "Vorschlag";
    decision "Decision" "Décision" "Entscheidung";
    messages "Messages" "Messages" "Meldungen";
    no_messages "There is nothing to tell beyond the summary." "Il n’y a rien à signaler au-delà du résumé." "Über die Zusammenfassung hinaus ist nichts zu melden.";
    filter "Filter" "Filtrer" "Filtern";
    filter_text "Search in messages and changes" "Rechercher dans les messages et les modifications" "In Meldungen und Änderungen suchen";
    filter_levels "Show" "Afficher" "Anzeigen";
    filter_shown "Shown: " "Affichés\u{a0}: " "Angezeigt: ";
    place "Place" "Emplacement" "Stelle";
    line "Line" "Ligne" "Zeile";
    lines "Lines" "Lignes" "Zeilen";
    person "Person" "Personne" "Person";
    field "Field" "Champ" "Feld";
    column "Column" "Colonne" "Spalte";
    received "Received" "Reçu" "Erhalten";
    colon ": " "\u{a0}: " ": ";
    kept "Kept" "Conservé" "Behalten";
    message "Message and what to do" "Message et que faire" "Meldung und was zu tun ist";
    code "Code" "Code" "Code";
    changes "Changes, field by field" "Modifications, champ par champ" "Änderungen, Feld für Feld";
    changes_planned "What would change, field by field" "Ce qui changerait, champ par champ" "Was sich ändern würde, Feld für Feld";
    before "Before" "Avant" "Vorher";
    after "After" "Après" "Nachher";
    no_value "no value" "aucune valeur" "kein Wert";
    columns "Columns, as they were matched" "Colonnes, telles qu’elles ont été reconnues" "Spalten, wie sie erkannt wurden";
    header "Header in the file" "En-tête du fichier" "Überschrift in der Datei";
    matched_by "Matched by" "Reconnue par" "Erkannt durch";
    not_read "not read" "non lue" "nicht gelesen";
    facts "File and import" "Fichier et import" "Datei und Import";
    masked "••• stands for a value that reports do not show." "••• remplace une valeur que les rapports ne montrent pas." "••• steht für einen Wert, den Berichte nicht zeigen.";
    file "File" "Fichier" "Datei";
    size "Size" "Taille" "Größe";
    bytes "bytes" "octets" "Bytes";
    encoding "Encoding" "Codage des caractères" "Zeichenkodierung";
    delimiter "Separator" "Séparateur" "Trennzeichen";
    dates "Dates" "Dates" "Datumsangaben";
    mode "Mode" "Mode" "Modus";
    settings "Version of the settings" "Version des réglages" "Version der Einstellungen";
    import "Import" "Import" "Import";
    account "Account" "Compte" "Konto";
    received_at "Received" "Reçu" "Empfangen";
    finished_at "Finished" "Terminé" "Beendet";
    undo "Undo" "Annulation" "Rücknahme";
    undo_possible "possible" "possible" "möglich";
    undo_impossible "not possible" "impossible" "nicht möglich";
}
