//! What taking an import back did, and what it left.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    N007 "" Info Told each [("undone_date", "2026-11-21"), ("who", "cli"), ("values", "12"), ("withdrawn", "3"), ("kept", "0")]
        en "This import was undone on {undone_date} by {who}. Values that returned to what they were: {values}; new users withdrawn: {withdrawn}; left as they are: {kept}." => "Correct the file in payroll before it is sent again: the next import applies it anew.";
        fr "Cet import a été annulé le {undone_date} par {who}. Valeurs revenues à leur état antérieur\u{a0}: {values}\u{a0}; nouvelles fiches retirées\u{a0}: {withdrawn}\u{a0}; laissées telles quelles\u{a0}: {kept}." => "Corrigez le fichier dans le logiciel de paie avant de le renvoyer\u{a0}: le prochain import l’appliquera de nouveau.";
        de "Dieser Import wurde am {undone_date} von {who} rückgängig gemacht. Werte, die wieder den alten Stand haben: {values}; zurückgezogene neue Personen: {withdrawn}; unverändert gelassen: {kept}." => "Korrigieren Sie die Datei im Lohnprogramm, bevor sie wieder gesendet wird: Der nächste Import übernimmt sie erneut.";
    N007 "file" Warning Kept each [("person", "DUPONT Anne"), ("field", "department"), ("kept", "IT"), ("file", "users.csv"), ("other_line", "12"), ("other_date", "2026-11-21")]
        en "{field} of {person} stays “{kept}”: the file {file} of {other_date} changed it later (line {other_line})." => "If that is wrong too, take that import back as well, or correct the value by hand.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: le fichier {file} du {other_date} l’a modifié ensuite (ligne {other_line})." => "Si c’est également faux, annulez aussi cet import-là ou corrigez la valeur à la main.";
        de "{field} von {person} bleibt „{kept}“: Die Datei {file} vom {other_date} hat den Wert danach geändert (Zeile {other_line})." => "Ist auch das falsch, machen Sie jenen Import ebenfalls rückgängig, oder korrigieren Sie den Wert von Hand.";
    N007 "hand" Warning Kept each [("person", "DUPONT Anne"), ("field", "department"), ("kept", "IT"), ("who", "cli"), ("other_date", "2026-11-21")]
        en "{field} of {person} stays “{kept}”: it was changed by hand on {other_date} (by {who})." => "If that is wrong, correct the value by hand.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: la valeur a été modifiée à la main le {other_date} (par {who})." => "Si elle est fausse, corrigez-la à la main.";
        de "{field} von {person} bleibt „{kept}“: Der Wert wurde am {other_date} von Hand geändert (von {who})." => "Ist er falsch, korrigieren Sie ihn von Hand.";
    N007 "taken" Warning Kept each [("person", "DUPONT Anne"), ("field", "email"), ("kept", "anne@acme.example"), ("other", "MARTIN Paul")]
        en "{field} of {person} stays “{kept}”: the earlier value belongs to {other} by now." => "Decide who keeps it, and correct the other one by hand or in payroll.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: l’ancienne valeur appartient désormais à {other}." => "Décidez à qui elle revient, puis corrigez l’autre fiche à la main ou dans le logiciel de paie.";
        de "{field} von {person} bleibt „{kept}“: Der frühere Wert gehört inzwischen {other}." => "Entscheiden Sie, wer ihn behält, und korrigieren Sie den anderen von Hand oder im Lohnprogramm.";
    N007 "gone" Warning Kept each [("person", "DUPONT Anne"), ("field", "manager"), ("kept", "MARTIN Paul"), ("other", "ROY Zoé")]
        en "{field} of {person} stays “{kept}”: the earlier manager, {other}, has been withdrawn." => "Give the right manager by hand or in payroll.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: la fiche du responsable précédent, {other}, a été retirée." => "Indiquez le bon responsable à la main ou dans le logiciel de paie.";
        de "{field} von {person} bleibt „{kept}“: Die frühere Führungskraft, {other}, wurde zurückgezogen." => "Tragen Sie die richtige Führungskraft von Hand oder im Lohnprogramm ein.";
    N007 "circle" Warning Kept each [("person", "DUPONT Anne"), ("field", "manager"), ("kept", "MARTIN Paul"), ("other", "ROY Zoé")]
        en "{field} of {person} stays “{kept}”: with the earlier manager, {other}, the managers would form a circle by now." => "Give the right manager by hand or in payroll.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: avec le responsable précédent, {other}, la hiérarchie tournerait désormais en rond." => "Indiquez le bon responsable à la main ou dans le logiciel de paie.";
        de "{field} von {person} bleibt „{kept}“: Mit der früheren Führungskraft, {other}, entstünde inzwischen ein Kreis." => "Tragen Sie die richtige Führungskraft von Hand oder im Lohnprogramm ein.";
    N007 "contract" Warning Kept each [("person", "DUPONT Anne"), ("field", "contract_end"), ("kept", "2026-12-31"), ("old_date", "2026-06-30")]
        en "{field} of {person} stays “{kept}”: with the earlier value ({old_date}) the contract would end before it starts, because the other date was changed later." => "Give the right start and end of the contract by hand or in payroll.";
        fr "{field} de {person} reste «\u{a0}{kept}\u{a0}»\u{a0}: avec l’ancienne valeur ({old_date}), le contrat finirait avant de commencer, car l’autre date a été modifiée ensuite." => "Indiquez les bonnes dates de contrat à la main ou dans le logiciel de paie.";
        de "{field} von {person} bleibt „{kept}“: Mit dem früheren Wert ({old_date}) würde der Vertrag enden, bevor er beginnt, denn das andere Datum wurde danach geändert." => "Tragen Sie die richtigen Vertragsdaten von Hand oder im Lohnprogramm ein.";
    N007 "user_file" Warning Kept each [("person", "DUPONT Anne"), ("file", "users.csv"), ("other_line", "12"), ("other_date", "2026-11-21")]
        en "{person} was new in this import and stays: the file {file} of {other_date} changed this user later (line {other_line})." => "If the person does not belong here, take that import back as well.";
        fr "{person} était nouveau dans cet import et reste\u{a0}: le fichier {file} du {other_date} a modifié la fiche ensuite (ligne {other_line})." => "Si la personne n’a rien à faire ici, annulez aussi cet import-là.";
        de "{person} war in diesem Import neu und bleibt: Die Datei {file} vom {other_date} hat den Eintrag danach geändert (Zeile {other_line})." => "Gehört die Person nicht hierher, machen Sie auch jenen Import rückgängig.";
    N007 "user_hand" Warning Kept each [("person", "DUPONT Anne"), ("who", "cli"), ("other_date", "2026-11-21")]
        en "{person} was new in this import and stays: the user was changed by hand on {other_date} (by {who})." => "If the person does not belong here, give a last day by hand.";
        fr "{person} était nouveau dans cet import et reste\u{a0}: la fiche a été modifiée à la main le {other_date} (par {who})." => "Si la personne n’a rien à faire ici, indiquez à la main un dernier jour.";
        de "{person} war in diesem Import neu und bleibt: Der Eintrag wurde am {other_date} von Hand geändert (von {who})." => "Gehört die Person nicht hierher, tragen Sie von Hand einen letzten Tag ein.";
    N007 "leads" Warning Kept each [("person", "DUPONT Anne"), ("people", "2"), ("other", "MARTIN Paul")]
        en "{person} was new in this import and stays: manager of {people} {people|person|people} by now, {other} among them." => "Give these people another manager, then give this user a last day.";
        fr "{person} était nouveau dans cet import et reste\u{a0}: responsable de {people} {people|personne|personnes} désormais, dont {other}." => "Donnez un autre responsable à ces personnes, puis un dernier jour à cette fiche.";
        de "{person} war in diesem Import neu und bleibt: inzwischen Führungskraft von {people} {people|Person|Personen}, darunter {other}." => "Geben Sie diesen Personen eine andere Führungskraft, dann diesem Eintrag einen letzten Tag.";
};
