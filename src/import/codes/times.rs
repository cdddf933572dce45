//! The texts about contracts, absences and the import itself: C, A, N and E codes.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    C401 "" Info Applied each [("person", "DUPONT Anne"), ("end_date", "2026-11-20")]
        en "The contract of {person} ended on {end_date}." => "";
        fr "{person}\u{a0}: le contrat s’est terminé le {end_date}." => "";
        de "Der Vertrag von {person} endete am {end_date}." => "";
    C402 "" Field CellRefused each [("start_date", "2026-02-01"), ("end_date", "2026-01-15")]
        en "The contract would end on {end_date}, before it starts on {start_date}." => "Correct the dates in payroll.";
        fr "Le contrat se terminerait le {end_date}, avant son début le {start_date}." => "Corrigez les dates dans le logiciel de paie.";
        de "Der Vertrag würde am {end_date} enden, bevor er am {start_date} beginnt." => "Korrigieren Sie die Daten im Lohnprogramm.";
    C403 "" Info Applied each [("old_date", "2026-12-31"), ("new_date", "2027-06-30")]
        en "The end of the contract moves from {old_date} to {new_date}." => "";
        fr "La fin du contrat passe du {old_date} au {new_date}." => "";
        de "Das Vertragsende verschiebt sich vom {old_date} auf den {new_date}." => "";
    C403 "removed" Warning Applied each [("old_date", "2026-12-31")]
        en "The contract was to end on {old_date}; the file gives no end any more, so it goes on." => "If the end still stands, fill it in again in payroll.";
        fr "Le contrat devait se terminer le {old_date}\u{a0}; le fichier n’indique plus de fin, il continue donc." => "Si cette fin reste valable, renseignez-la de nouveau dans le logiciel de paie.";
        de "Der Vertrag sollte am {old_date} enden; die Datei nennt kein Ende mehr, er läuft also weiter." => "Gilt das Ende noch, tragen Sie es im Lohnprogramm wieder ein.";
    C403 "next_contract" Info Applied each [("old_date", "2026-12-31"), ("new_date", "2027-01-01")]
        en "The contract was to end on {old_date}; a new one starts on {new_date}, so the end is lifted." => "";
        fr "Le contrat devait se terminer le {old_date}\u{a0}; un nouveau commence le {new_date}, la fin est donc levée." => "";
        de "Der Vertrag sollte am {old_date} enden; ein neuer beginnt am {new_date}, das Ende wird daher aufgehoben." => "";
    C404 "" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-06-30"), ("new_date", "2026-11-01")]
        en "{person} had left on {old_date} and is back from {new_date}; the same record goes on." => "";
        fr "{person} avait quitté l’entreprise le {old_date} et revient à partir du {new_date}\u{a0}; la même fiche continue." => "";
        de "{person} war am {old_date} ausgetreten und ist ab dem {new_date} wieder da; derselbe Eintrag läuft weiter." => "";
    C404 "extended" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-06-30"), ("end_date", "2026-12-31")]
        en "{person} had left on {old_date}; the contract now ends on {end_date}, so the same record goes on." => "";
        fr "{person} avait quitté l’entreprise le {old_date}\u{a0}; le contrat se termine désormais le {end_date}, la même fiche continue donc." => "";
        de "{person} war am {old_date} ausgetreten; der Vertrag endet nun am {end_date}, derselbe Eintrag läuft also weiter." => "";
    C404 "present" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-11-19")]
        en "{person} is in the file again: the end on {old_date}, set because the person was missing from the files, is lifted." => "";
        fr "{person} figure de nouveau dans le fichier\u{a0}: la fin au {old_date}, fixée parce que la personne ne figurait plus dans les fichiers, est levée." => "";
        de "{person} steht wieder in der Datei: Das Ende am {old_date}, das gesetzt wurde, weil die Person in den Dateien fehlte, wird aufgehoben." => "";
    C404 "restored" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-11-19"), ("end_date", "2026-12-31")]
        en "{person} is in the file again: the end on {old_date}, set because the person was missing from the files, is lifted; the contract ends on {end_date}, as it did before." => "";
        fr "{person} figure de nouveau dans le fichier\u{a0}: la fin au {old_date}, fixée parce que la personne ne figurait plus dans les fichiers, est levée\u{a0}; le contrat se termine le {end_date}, comme auparavant." => "";
        de "{person} steht wieder in der Datei: Das Ende am {old_date}, das gesetzt wurde, weil die Person in den Dateien fehlte, wird aufgehoben; der Vertrag endet wie zuvor am {end_date}." => "";
    C404 "renumbered" Info Applied each [("person", "DUPONT Anne"), ("old_date", "2026-06-30")]
        en "{person} had left on {old_date} and is in the file under a new number; the same record goes on." => "";
        fr "{person} avait quitté l’entreprise le {old_date} et figure dans le fichier sous un nouveau matricule\u{a0}; la même fiche continue." => "";
        de "{person} war am {old_date} ausgetreten und steht unter einer neuen Nummer in der Datei; derselbe Eintrag läuft weiter." => "";
    C406 "" Warning Applied each [("old_date", "2024-03-01"), ("new_date", "2024-04-01")]
        en "The contract has already begun, and its start moves from {old_date} to {new_date}." => "Check the date in payroll if this was not meant.";
        fr "Le contrat a déjà commencé et son début passe du {old_date} au {new_date}." => "Vérifiez la date dans le logiciel de paie si ce n’était pas voulu.";
        de "Der Vertrag hat schon begonnen, und sein Beginn verschiebt sich vom {old_date} auf den {new_date}." => "Prüfen Sie das Datum im Lohnprogramm, falls das nicht gewollt war.";
    C407 "blank_end" Warning Kept each [("old_date", "2026-06-30")]
        en "The contract ended on {old_date}; a blank does not lift a past end, so it stays." => "If the person is back, fill the new start of the contract in payroll; else leave the row out.";
        fr "Le contrat s’est terminé le {old_date}\u{a0}; une cellule vide ne lève pas une fin passée, qui reste donc." => "Si la personne est revenue, renseignez le nouveau début de contrat dans le logiciel de paie\u{a0}; sinon, retirez la ligne.";
        de "Der Vertrag endete am {old_date}; ein leeres Feld hebt ein vergangenes Ende nicht auf, es bleibt also." => "Ist die Person wieder da, tragen Sie den neuen Vertragsbeginn im Lohnprogramm ein; sonst lassen Sie die Zeile weg.";
    C407 "end" Warning Applied each [("old_date", "2026-06-30"), ("new_date", "2026-07-31")]
        en "The contract was closed; its end moves from {old_date} to {new_date}." => "Check the date in payroll if this was not meant.";
        fr "Le contrat était clos\u{a0}; sa fin passe du {old_date} au {new_date}." => "Vérifiez la date dans le logiciel de paie si ce n’était pas voulu.";
        de "Der Vertrag war abgeschlossen; sein Ende verschiebt sich vom {old_date} auf den {new_date}." => "Prüfen Sie das Datum im Lohnprogramm, falls das nicht gewollt war.";
    C407 "change" Warning Applied each [("old_date", "2026-06-30"), ("fields", "department")]
        en "The contract ended on {old_date}, and the row still changes: {fields}." => "Check in payroll whether this was meant.";
        fr "Le contrat s’est terminé le {old_date}, et la ligne modifie encore\u{a0}: {fields}." => "Vérifiez dans le logiciel de paie si c’était voulu.";
        de "Der Vertrag endete am {old_date}, und die Zeile ändert noch: {fields}." => "Prüfen Sie im Lohnprogramm, ob das gewollt war.";
    C408 "" Warning Applied each [("person", "DUPONT Anne"), ("end_date", "2026-09-30")]
        en "The contract of {person} ended on {end_date}, more than a month ago; this is reported only now." => "Check what {person} could still use since then, and report leavers earlier.";
        fr "{person}\u{a0}: le contrat s’est terminé le {end_date}, il y a plus d’un mois\u{a0}; cela n’est signalé que maintenant." => "{person}\u{a0}: vérifiez ses accès depuis cette date et signalez les départs plus tôt.";
        de "Der Vertrag von {person} endete am {end_date}, vor mehr als einem Monat; das wird erst jetzt gemeldet." => "Prüfen Sie, welche Zugänge {person} seitdem noch hatte, und melden Sie Austritte früher.";
    A501 "" Warning Kept each [("person", "DUPONT Anne"), ("number", "00123")]
        en "{person} ({number}) is not in the file and was kept unchanged." => "If the person has left, send the row with the end of the contract; else add the row to the export.";
        fr "{person} ({number}) ne figure pas dans le fichier\u{a0}; sa fiche reste inchangée." => "Si la personne est partie, envoyez sa ligne avec la fin de contrat\u{a0}; sinon, ajoutez-la à l’export.";
        de "{person} ({number}) steht nicht in der Datei und bleibt unverändert." => "Ist die Person ausgetreten, senden Sie ihre Zeile mit dem Vertragsende; sonst nehmen Sie sie in den Export auf.";
    A501 "counting" Warning Kept each [("person", "DUPONT Anne"), ("number", "00123"), ("files", "1"), ("limit", "2"), ("end_date", "2026-11-19")]
        en "{person} ({number}) is not in the file. This is file {files} of {limit} without {person}; after {limit} the contract ends on {end_date}." => "If the person has not left, add the row to the export before the next file.";
        fr "{person} ({number}) ne figure pas dans le fichier. C’est le fichier {files} sur {limit} sans {person}\u{a0}; après {limit}, le contrat se termine le {end_date}." => "Si la personne n’est pas partie, ajoutez-la à l’export avant le prochain fichier.";
        de "{person} ({number}) steht nicht in der Datei. Das ist Datei {files} von {limit} ohne {person}; nach {limit} endet der Vertrag am {end_date}." => "Ist die Person nicht ausgetreten, nehmen Sie sie vor der nächsten Datei in den Export auf.";
    A501 "just_begun" Warning Kept each [("person", "DUPONT Anne"), ("number", "00123"), ("first_date", "2026-11-20"), ("start_date", "2026-11-20")]
        en "{person} ({number}) has not been in the files since {first_date}; the contract began on {start_date}, so it was not ended for that." => "If the person never came, send the row with an end of the contract; else add the row to the export.";
        fr "{person} ({number}) ne figure plus dans les fichiers depuis le {first_date}\u{a0}; le contrat ayant commencé le {start_date}, il n’a pas été clos pour autant." => "Si la personne n’est jamais venue, envoyez sa ligne avec une fin de contrat\u{a0}; sinon, ajoutez-la à l’export.";
        de "{person} ({number}) steht seit dem {first_date} nicht in den Dateien; der Vertrag begann am {start_date} und wurde deshalb nicht beendet." => "Ist die Person nie gekommen, senden Sie die Zeile mit einem Vertragsende; sonst nehmen Sie sie in den Export auf.";
    A501 "more" Warning Kept each [("count", "2500")]
        en "{count} more people are not in the file." => "Check that the export is complete; everybody who is absent can be seen in the directory.";
        fr "{count} autres personnes ne figurent pas dans le fichier." => "Vérifiez que l’export est complet\u{a0}; toutes les personnes absentes se voient dans l’annuaire.";
        de "{count} weitere Personen stehen nicht in der Datei." => "Prüfen Sie, ob der Export vollständig ist; alle Fehlenden sieht man im Verzeichnis.";
    A502 "" Warning Applied each [("person", "DUPONT Anne"), ("number", "00123"), ("first_date", "2026-11-20"), ("end_date", "2026-11-19")]
        en "{person} ({number}) has not been in the files since {first_date}: the contract ends on {end_date}." => "If the person has not left, add the row to the export; the end is then lifted.";
        fr "{person} ({number}) ne figure plus dans les fichiers depuis le {first_date}\u{a0}: le contrat prend fin le {end_date}." => "Si la personne n’est pas partie, ajoutez-la à l’export\u{a0}; cette fin est alors levée.";
        de "{person} ({number}) steht seit dem {first_date} nicht in den Dateien: Der Vertrag endet am {end_date}." => "Ist die Person nicht ausgetreten, nehmen Sie sie in den Export auf; das Ende wird dann aufgehoben.";
    A502 "earlier" Warning Applied each [("person", "DUPONT Anne"), ("number", "00123"), ("first_date", "2026-11-20"), ("end_date", "2026-11-19"), ("old_date", "2026-12-31")]
        en "{person} ({number}) has not been in the files since {first_date}: the contract, which was to end on {old_date}, ends on {end_date}." => "If the person has not left, add the row to the export; the end is then lifted.";
        fr "{person} ({number}) ne figure plus dans les fichiers depuis le {first_date}\u{a0}: le contrat, qui devait se terminer le {old_date}, prend fin le {end_date}." => "Si la personne n’est pas partie, ajoutez-la à l’export\u{a0}; cette fin est alors levée.";
        de "{person} ({number}) steht seit dem {first_date} nicht in den Dateien: Der Vertrag, der am {old_date} enden sollte, endet am {end_date}." => "Ist die Person nicht ausgetreten, nehmen Sie sie in den Export auf; das Ende wird dann aufgehoben.";
    P701 "" Info Kept grouped [("column", "department"), ("value", "Accounting"), ("kept", "Payroll")]
        en "{column} is “{value}” as in earlier files, but it was changed to “{kept}” since, by hand or by another folder: “{kept}” stays until the file says something new." => "If the file is right, have the operator change the value back.";
        fr "{column} contient «\u{a0}{value}\u{a0}» comme dans les fichiers précédents, mais la valeur a été changée depuis en «\u{a0}{kept}\u{a0}», à la main ou par un autre dossier\u{a0}: «\u{a0}{kept}\u{a0}» reste tant que le fichier ne dit rien de nouveau." => "Si le fichier a raison, faites rétablir la valeur par l’exploitant.";
        de "{column} enthält „{value}“ wie in früheren Dateien, der Wert wurde seither aber von Hand oder durch einen anderen Ordner auf „{kept}“ geändert: „{kept}“ bleibt, bis die Datei etwas Neues sagt." => "Hat die Datei recht, lassen Sie den Wert vom Betreiber zurückändern.";
    N001 "" Info Told each []
        en "Applied. 412 rows: 3 created, 9 updated, 400 unchanged." => "";
        fr "Appliqué. 412 lignes\u{a0}: 3 créées, 9 modifiées, 400 inchangées." => "";
        de "Übernommen. 412 Zeilen: 3 neu angelegt, 9 geändert, 400 unverändert." => "";
    N002 "" Info Told each []
        en "This was a dry run: the report says what would happen, nothing was written to the directory." => "Send the file to the import folder itself to apply it.";
        fr "C’était un essai\u{a0}: le rapport dit ce qui se passerait, rien n’a été écrit dans l’annuaire." => "Déposez le fichier dans le dossier d’import lui-même pour l’appliquer.";
        de "Das war ein Probelauf: Der Bericht sagt, was geschehen würde; ins Verzeichnis wurde nichts geschrieben." => "Legen Sie die Datei in den Importordner selbst, um sie zu übernehmen.";
    N003 "" Info Told each [("applied_date", "2026-11-20"), ("import", "0193…")]
        en "This is the same file as the one that was applied on {applied_date} (import {import}), and nothing has changed since: there was nothing to do." => "If you expected changes, check that payroll exported the new data.";
        fr "C’est le même fichier que celui appliqué le {applied_date} (import {import}) et rien n’a changé depuis\u{a0}: il n’y avait rien à faire." => "Si vous attendiez des changements, vérifiez que la paie a bien exporté les nouvelles données.";
        de "Das ist dieselbe Datei, die am {applied_date} übernommen wurde (Import {import}), und seither hat sich nichts geändert: Es war nichts zu tun." => "Haben Sie Änderungen erwartet, prüfen Sie, ob das Lohnprogramm die neuen Daten exportiert hat.";
    N003 "partial" Warning Told each [("applied_date", "2026-11-20"), ("import", "0193…")]
        en "This is the same file as the one that was applied in part on {applied_date} (import {import}), and nothing has changed since: there was nothing to do, and what was refused then is still refused." => "Correct in payroll what the report of that import names, then send the new export. Earlier reports lie in the folder “reports”.";
        fr "C’est le même fichier que celui appliqué en partie le {applied_date} (import {import}) et rien n’a changé depuis\u{a0}: il n’y avait rien à faire, et ce qui avait été refusé l’est toujours." => "Corrigez dans le logiciel de paie ce que signale le rapport de cet import, puis envoyez le nouvel export. Les rapports précédents sont dans le dossier «\u{a0}reports\u{a0}».";
        de "Das ist dieselbe Datei, die am {applied_date} teilweise übernommen wurde (Import {import}), und seither hat sich nichts geändert: Es war nichts zu tun, und was damals abgelehnt wurde, ist weiterhin abgelehnt." => "Korrigieren Sie im Lohnprogramm, was der Bericht jenes Imports nennt, und senden Sie dann den neuen Export. Frühere Berichte liegen im Ordner „reports“.";
    N003 "older" Warning Applied each [("applied_date", "2026-11-20"), ("import", "0193…")]
        en "This very file was applied on {applied_date} already (import {import}), and other files since: what has changed after that day goes back to what it was." => "If an old file was sent by mistake, send the current export; the operator can also undo this import.";
        fr "Ce même fichier a déjà été appliqué le {applied_date} (import {import}), et d’autres fichiers depuis\u{a0}: ce qui a changé après cette date revient à l’état d’alors." => "Si un ancien fichier a été envoyé par erreur, envoyez l’export actuel\u{a0}; l’exploitant peut aussi annuler cet import.";
        de "Genau diese Datei wurde schon am {applied_date} übernommen (Import {import}), seither auch andere Dateien: Was sich nach diesem Tag geändert hat, wird auf den damaligen Stand zurückgesetzt." => "Wurde versehentlich eine alte Datei gesendet, senden Sie den aktuellen Export; der Betreiber kann diesen Import auch zurücknehmen.";
    N003 "absences" Info Told each [("applied_date", "2026-11-20"), ("import", "0193…"), ("absent", "2")]
        en "This is the same file as the one that was applied on {applied_date} (import {import}); the people who are absent from it ({absent}) were counted once more." => "If you expected changes, check that payroll exported the new data.";
        fr "C’est le même fichier que celui appliqué le {applied_date} (import {import})\u{a0}; les personnes qui n’y figurent pas ({absent}) ont été comptées une fois de plus." => "Si vous attendiez des changements, vérifiez que la paie a bien exporté les nouvelles données.";
        de "Das ist dieselbe Datei, die am {applied_date} übernommen wurde (Import {import}); die Personen, die darin fehlen ({absent}), wurden ein weiteres Mal gezählt." => "Haben Sie Änderungen erwartet, prüfen Sie, ob das Lohnprogramm die neuen Daten exportiert hat.";
    N004 "" Info FileRefused each [("import", "0193…")]
        en "A newer full file of the same name arrived before this one was imported (import {import}); this one was not applied." => "";
        fr "Un fichier complet plus récent du même nom est arrivé avant l’import de celui-ci (import {import})\u{a0}; celui-ci n’a pas été appliqué." => "";
        de "Eine neuere vollständige Datei desselben Namens kam an, bevor diese importiert wurde (Import {import}); diese wurde nicht übernommen." => "";
    N006 "" Info Applied each [("field", "department"), ("from", "Accounting"), ("to", "Sales")]
        en "“{field}” would change from “{from}” to “{to}”." => "";
        fr "«\u{a0}{field}\u{a0}» passerait de «\u{a0}{from}\u{a0}» à «\u{a0}{to}\u{a0}»." => "";
        de "„{field}“ würde von „{from}“ auf „{to}“ geändert." => "";
    N006 "new" Info Applied each [("field", "department"), ("to", "Sales")]
        en "“{field}” has no value yet and would become “{to}”." => "";
        fr "«\u{a0}{field}\u{a0}» n’a pas encore de valeur et deviendrait «\u{a0}{to}\u{a0}»." => "";
        de "„{field}“ hat noch keinen Wert und würde „{to}“." => "";
    N006 "cleared" Info Applied each [("field", "contract_end"), ("from", "31/12/2026")]
        en "“{field}” would be cleared; it is “{from}” so far." => "";
        fr "«\u{a0}{field}\u{a0}» serait vidé\u{a0}; sa valeur actuelle est «\u{a0}{from}\u{a0}»." => "";
        de "„{field}“ würde geleert; bisher steht dort „{from}“." => "";
    N006 "created" Info Applied each [("person", "DUPONT Anne"), ("values", "Employee number 00123, First name Anne, Last name Dupont")]
        en "{person} would be created: {values}." => "";
        fr "{person} serait créé(e)\u{a0}: {values}." => "";
        de "{person} würde neu angelegt: {values}." => "";
    N006 "more" Info Told each [("listed", "1000"), ("total", "7210")]
        en "Only the first {listed} of {total} changes are listed." => "";
        fr "Seules les {listed} premières modifications sur {total} sont listées." => "";
        de "Nur die ersten {listed} von {total} Änderungen sind aufgeführt." => "";
    E901 "" Fatal FileRefused each [("import", "0193…")]
        en "An error on our side stopped this import; nothing of the file was applied, and the file is kept." => "Send the file again; if this happens again, name import {import} to the operator.";
        fr "Une erreur de notre côté a arrêté cet import\u{a0}; rien n’a été appliqué et le fichier est conservé." => "Renvoyez le fichier\u{a0}; si cela se reproduit, indiquez l’import {import} à l’exploitant.";
        de "Ein Fehler auf unserer Seite hat diesen Import gestoppt; nichts wurde übernommen, und die Datei ist aufbewahrt." => "Senden Sie die Datei noch einmal; geschieht es wieder, nennen Sie dem Betreiber den Import {import}.";
    E901 "late" Warning Held each [("import", "0193…")]
        en "This file was received earlier and not applied then; after an error on our side, or because the directory was put back to an earlier state, it comes again and waits. Nothing was applied." => "If the file is still to be applied, ask the operator to approve import {import}; if not, ask for it to be discarded.";
        fr "Ce fichier a été reçu plus tôt et n’avait pas été appliqué\u{a0}; après une erreur de notre côté, ou parce que l’annuaire a été ramené à un état antérieur, il revient et reste en attente. Rien n’a été appliqué." => "Si le fichier doit encore être appliqué, demandez à l’exploitant d’approuver l’import {import}\u{a0}; sinon, demandez-lui de l’abandonner.";
        de "Diese Datei wurde früher empfangen und damals nicht übernommen; nach einem Fehler auf unserer Seite, oder weil das Verzeichnis auf einen früheren Stand gebracht wurde, kommt sie noch einmal und wartet. Nichts wurde übernommen." => "Soll die Datei noch übernommen werden, bitten Sie den Betreiber, den Import {import} freizugeben; sonst bitten Sie ihn, sie zu verwerfen.";
};
