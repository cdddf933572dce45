//! The texts about contracts, absences and the import itself: C, A, N and E codes.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    C401 "" Info Applied each [("person", "DUPONT Anne"), ("end_date", "2026-11-20")]
        en "The contract of {person} ended on {end_date}." => "";
        fr "Le contrat de {person} s’est terminé le {end_date}." => "";
        de "Der Vertrag von {person} endete am {end_date}." => "";
    C402 "" Field CellRefused each [("start_date", "2026-02-01"), ("end_date", "2026-01-15")]
        en "The contract would end on {end_date}, before it starts on {start_date}." => "Correct the dates in payroll.";
        fr "Le contrat se terminerait le {end_date}, avant son début le {start_date}." => "Corrigez les dates dans le logiciel de paie.";
        de "Der Vertrag würde am {end_date} enden, bevor er am {start_date} beginnt." => "Korrigieren Sie die Daten im Lohnprogramm.";
    C403 "" Info Applied each [("old_date", "2026-12-31"), ("new_date", "2027-06-30")]
        en "The end of the contract moved from {old_date} to {new_date}." => "";
        fr "La fin du contrat passe du {old_date} au {new_date}." => "";
        de "Das Vertragsende wurde vom {old_date} auf den {new_date} verschoben." => "";
    C403 "removed" Warning Applied each [("old_date", "2026-12-31")]
        en "The contract was to end on {old_date}; the file gives no end any more, so it goes on." => "If the end still stands, fill it in again in payroll.";
        fr "Le contrat devait se terminer le {old_date} ; le fichier n’indique plus de fin, il continue donc." => "Si cette fin reste valable, renseignez-la de nouveau dans le logiciel de paie.";
        de "Der Vertrag sollte am {old_date} enden; die Datei nennt kein Ende mehr, er läuft also weiter." => "Gilt das Ende noch, tragen Sie es im Lohnprogramm wieder ein.";
    C403 "next_contract" Info Applied each [("old_date", "2026-12-31"), ("new_date", "2027-01-01")]
        en "The contract was to end on {old_date}; a new one starts on {new_date}, so the end was lifted." => "";
        fr "Le contrat devait se terminer le {old_date} ; un nouveau commence le {new_date}, la fin a donc été levée." => "";
        de "Der Vertrag sollte am {old_date} enden; ein neuer beginnt am {new_date}, das Ende wurde daher aufgehoben." => "";
    C404 "" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-06-30"), ("new_date", "2026-11-01")]
        en "{person} had left on {old_date} and is back from {new_date}; the same record goes on." => "";
        fr "{person} avait quitté l’entreprise le {old_date} et revient à partir du {new_date} ; la même fiche continue." => "";
        de "{person} war am {old_date} ausgetreten und ist ab dem {new_date} wieder da; derselbe Eintrag läuft weiter." => "";
    C404 "extended" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-06-30"), ("end_date", "2026-12-31")]
        en "{person} had left on {old_date}; the contract now ends on {end_date}, so the same record goes on." => "";
        fr "{person} avait quitté l’entreprise le {old_date} ; le contrat se termine désormais le {end_date}, la même fiche continue donc." => "";
        de "{person} war am {old_date} ausgetreten; der Vertrag endet nun am {end_date}, derselbe Eintrag läuft also weiter." => "";
    C406 "" Warning Applied each [("old_date", "2024-03-01"), ("new_date", "2024-04-01")]
        en "The contract has already begun, and its start moved from {old_date} to {new_date}." => "Check the date in payroll if this was not meant.";
        fr "Le contrat a déjà commencé et son début passe du {old_date} au {new_date}." => "Vérifiez la date dans le logiciel de paie si ce n’était pas voulu.";
        de "Der Vertrag hat schon begonnen, und sein Beginn wurde vom {old_date} auf den {new_date} verlegt." => "Prüfen Sie das Datum im Lohnprogramm, falls das nicht gewollt war.";
    C407 "blank_end" Warning Kept each [("old_date", "2026-06-30")]
        en "The contract ended on {old_date}; a blank does not lift a past end, so it stays." => "If the person is back, fill the new start of the contract in payroll; else leave the row out.";
        fr "Le contrat s’est terminé le {old_date} ; une cellule vide ne lève pas une fin passée, qui reste donc." => "Si la personne est revenue, renseignez le nouveau début de contrat dans le logiciel de paie ; sinon, retirez la ligne.";
        de "Der Vertrag endete am {old_date}; ein leeres Feld hebt ein vergangenes Ende nicht auf, es bleibt also." => "Ist die Person wieder da, tragen Sie den neuen Vertragsbeginn im Lohnprogramm ein; sonst lassen Sie die Zeile weg.";
    C407 "end" Warning Applied each [("old_date", "2026-06-30"), ("new_date", "2026-07-31")]
        en "The contract was closed; its end moved from {old_date} to {new_date}." => "Check the date in payroll if this was not meant.";
        fr "Le contrat était clos ; sa fin passe du {old_date} au {new_date}." => "Vérifiez la date dans le logiciel de paie si ce n’était pas voulu.";
        de "Der Vertrag war abgeschlossen; sein Ende wurde vom {old_date} auf den {new_date} verlegt." => "Prüfen Sie das Datum im Lohnprogramm, falls das nicht gewollt war.";
    C407 "change" Warning Applied each [("old_date", "2026-06-30"), ("fields", "department")]
        en "The contract ended on {old_date}, and the row still changes: {fields}." => "Check in payroll whether this was meant.";
        fr "Le contrat s’est terminé le {old_date}, et la ligne modifie encore : {fields}." => "Vérifiez dans le logiciel de paie si c’était voulu.";
        de "Der Vertrag endete am {old_date}, und die Zeile ändert noch: {fields}." => "Prüfen Sie im Lohnprogramm, ob das gewollt war.";
    C408 "" Warning Applied each [("person", "DUPONT Anne"), ("end_date", "2026-09-30")]
        en "The contract of {person} ended on {end_date}, more than a month ago; this is reported only now." => "Check what {person} could still use since then, and report leavers earlier.";
        fr "Le contrat de {person} s’est terminé le {end_date}, il y a plus d’un mois ; cela n’est signalé que maintenant." => "Vérifiez les accès de {person} depuis cette date et signalez les départs plus tôt.";
        de "Der Vertrag von {person} endete am {end_date}, vor mehr als einem Monat; das wird erst jetzt gemeldet." => "Prüfen Sie, welche Zugänge {person} seitdem noch hatte, und melden Sie Austritte früher.";
    A501 "" Warning Kept each [("person", "DUPONT Anne"), ("number", "00123")]
        en "{person} ({number}) is not in the file and was kept unchanged." => "If the person has left, send the row with the end of the contract; else add the row to the export.";
        fr "{person} ({number}) ne figure pas dans le fichier ; sa fiche reste inchangée." => "Si la personne est partie, envoyez sa ligne avec la fin de contrat ; sinon, ajoutez-la à l’export.";
        de "{person} ({number}) steht nicht in der Datei und bleibt unverändert." => "Ist die Person ausgetreten, senden Sie ihre Zeile mit dem Vertragsende; sonst nehmen Sie sie in den Export auf.";
    N001 "" Info Told each []
        en "Applied. 412 rows: 3 created, 9 updated, 400 unchanged." => "";
        fr "Appliqué. 412 lignes : 3 créées, 9 modifiées, 400 inchangées." => "";
        de "Übernommen. 412 Zeilen: 3 neu angelegt, 9 geändert, 400 unverändert." => "";
    N002 "" Info Told each []
        en "This was a dry run: the report says what would happen, nothing was written to the directory." => "Send the file to the import folder itself to apply it.";
        fr "C’était un essai : le rapport dit ce qui se passerait, rien n’a été écrit dans l’annuaire." => "Déposez le fichier dans le dossier d’import lui-même pour l’appliquer.";
        de "Das war ein Probelauf: Der Bericht sagt, was geschehen würde; ins Verzeichnis wurde nichts geschrieben." => "Legen Sie die Datei in den Importordner selbst, um sie zu übernehmen.";
    N003 "" Info Told each [("applied_date", "2026-11-20"), ("import", "0193…")]
        en "This is the same file as the one that was applied on {applied_date} (import {import}), and nothing has changed since: there was nothing to do." => "If you expected changes, check that payroll exported the new data. What that import refused stands in its own report.";
        fr "C’est le même fichier que celui appliqué le {applied_date} (import {import}) et rien n’a changé depuis : il n’y avait rien à faire." => "Si vous attendiez des changements, vérifiez que la paie a bien exporté les nouvelles données. Ce que cet import a refusé figure dans son propre rapport.";
        de "Das ist dieselbe Datei, die am {applied_date} übernommen wurde (Import {import}), und seither hat sich nichts geändert: Es war nichts zu tun." => "Haben Sie Änderungen erwartet, prüfen Sie, ob das Lohnprogramm die neuen Daten exportiert hat. Was jener Import abgelehnt hat, steht in dessen eigenem Bericht.";
    N004 "" Info FileRefused each [("import", "0193…")]
        en "A newer full file of the same name arrived before this one was imported (import {import}); this one was not applied." => "";
        fr "Un fichier complet plus récent du même nom est arrivé avant l’import de celui-ci (import {import}) ; celui-ci n’a pas été appliqué." => "";
        de "Eine neuere vollständige Datei desselben Namens kam an, bevor diese importiert wurde (Import {import}); diese wurde nicht übernommen." => "";
    N006 "" Info Applied each [("field", "department"), ("from", "Accounting"), ("to", "Sales")]
        en "“{field}” would change from “{from}” to “{to}”." => "";
        fr "« {field} » passerait de « {from} » à « {to} »." => "";
        de "„{field}“ würde von „{from}“ auf „{to}“ geändert." => "";
    N006 "new" Info Applied each [("field", "department"), ("to", "Sales")]
        en "“{field}” has no value yet and would become “{to}”." => "";
        fr "« {field} » n’a pas encore de valeur et deviendrait « {to} »." => "";
        de "„{field}“ hat noch keinen Wert und würde „{to}“." => "";
    N006 "cleared" Info Applied each [("field", "contract_end"), ("from", "31/12/2026")]
        en "“{field}” would be cleared; it is “{from}” so far." => "";
        fr "« {field} » serait vidé ; sa valeur actuelle est « {from} »." => "";
        de "„{field}“ würde geleert; bisher steht dort „{from}“." => "";
    N006 "created" Info Applied each [("person", "DUPONT Anne"), ("values", "Employee number 00123, First name Anne, Last name Dupont")]
        en "{person} would be created: {values}." => "";
        fr "{person} serait créé(e) : {values}." => "";
        de "{person} würde neu angelegt: {values}." => "";
    N006 "more" Info Told each [("listed", "1000"), ("total", "7210")]
        en "Only the first {listed} of {total} changes are listed." => "";
        fr "Seules les {listed} premières modifications sur {total} sont listées." => "";
        de "Nur die ersten {listed} von {total} Änderungen sind aufgeführt." => "";
    E901 "" Fatal FileRefused each [("import", "0193…")]
        en "An error on our side stopped this import; nothing of the file was applied, and the file is kept." => "You need not do anything; if it happens again, name import {import} to the operator.";
        fr "Une erreur de notre côté a arrêté cet import ; rien n’a été appliqué et le fichier est conservé." => "Vous n’avez rien à faire ; si cela se reproduit, indiquez l’import {import} à l’exploitant.";
        de "Ein Fehler auf unserer Seite hat diesen Import gestoppt; nichts wurde übernommen, und die Datei ist aufbewahrt." => "Sie brauchen nichts zu tun; geschieht es wieder, nennen Sie dem Betreiber den Import {import}.";
};
