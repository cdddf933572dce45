//! The texts about who is who: D and X codes.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    D101 "" Error RowRefused each [("taken", "FR01 + 00123"), ("owner", "MARTIN Paul")]
        en "The employee number {taken} already belongs to {owner} (in the directory)." => "Check the number in payroll.";
        fr "Le matricule {taken} appartient déjà à {owner} (dans l’annuaire)." => "Vérifiez le matricule dans le logiciel de paie.";
        de "Die Personalnummer {taken} gehört bereits {owner} (im Verzeichnis)." => "Prüfen Sie die Nummer im Lohnprogramm.";
    D101 "file" Error RowRefused each [("taken", "FR01 + 00123"), ("owner", "MARTIN Paul"), ("other_lines", "12")]
        en "The employee number {taken} is given to {owner} too (line {other_lines})." => "Check both numbers in payroll.";
        fr "Le matricule {taken} est aussi attribué à {owner} (ligne {other_lines})." => "Vérifiez les deux matricules dans le logiciel de paie.";
        de "Die Personalnummer {taken} bekommt auch {owner} (Zeile {other_lines})." => "Prüfen Sie beide Nummern im Lohnprogramm.";
    D101 "several" Error RowRefused each [("key", "00123"), ("users", "MARTIN Paul (FR01), DUPONT Anne (FR02)")]
        en "The employee number {key} fits several people: {users}." => "Send the legal entity too, in the first two columns with the number, and have the operator set the key of this folder to legal_entity+employee_number.";
        fr "Le matricule {key} correspond à plusieurs personnes : {users}." => "Envoyez aussi l’entité légale, avec le matricule dans les deux premières colonnes, et faites régler la clé de ce dossier sur legal_entity+employee_number par l’exploitant.";
        de "Die Personalnummer {key} passt auf mehrere Personen: {users}." => "Senden Sie auch die Gesellschaft, mit der Nummer in den ersten beiden Spalten, und lassen Sie den Betreiber den Schlüssel dieses Ordners auf legal_entity+employee_number stellen.";
    D102 "" Warning RowIgnored each [("first_line", "4")]
        en "The same person stands on line {first_line} already, with the same content; this row was left out." => "Remove the second row from the export.";
        fr "La même personne figure déjà à la ligne {first_line}, avec le même contenu ; cette ligne a été laissée de côté." => "Supprimez la seconde ligne de l’export.";
        de "Dieselbe Person steht mit demselben Inhalt schon in Zeile {first_line}; diese Zeile wurde übergangen." => "Entfernen Sie die zweite Zeile aus dem Export.";
    D103 "" Error RowRefused each [("other_lines", "12")]
        en "The same person stands several times in the file, with different content (see also line {other_lines}); none of these rows was applied." => "Keep the right row and send the file again, or mend the corrections file.";
        fr "La même personne figure plusieurs fois dans le fichier, avec des contenus différents (voir aussi la ligne {other_lines}) ; aucune de ces lignes n’a été appliquée." => "Gardez la bonne ligne et renvoyez le fichier, ou corrigez le fichier de corrections.";
        de "Dieselbe Person steht mehrmals mit verschiedenem Inhalt in der Datei (siehe auch Zeile {other_lines}); keine dieser Zeilen wurde übernommen." => "Behalten Sie die richtige Zeile und senden Sie die Datei erneut, oder bessern Sie die Korrekturdatei aus.";
    D106 "" Error RowRefused each [("taken", "anne.dupont@example.org"), ("owner", "DUPONT Anne")]
        en "“{taken}” is already used by {owner} (in the directory)." => "Give this person another one in payroll; if both rows are the same person under two numbers, correct the number.";
        fr "« {taken} » est déjà utilisé par {owner} (dans l’annuaire)." => "Indiquez-en un autre dans le logiciel de paie ; s’il s’agit de la même personne sous deux matricules, corrigez le matricule.";
        de "„{taken}“ wird bereits von {owner} verwendet (im Verzeichnis)." => "Tragen Sie im Lohnprogramm einen anderen Wert ein; ist es dieselbe Person unter zwei Nummern, korrigieren Sie die Nummer.";
    D106 "file" Error RowRefused each [("taken", "anne.dupont@example.org"), ("owner", "DUPONT Anne"), ("other_lines", "12")]
        en "“{taken}” is given to {owner} too (line {other_lines})." => "Give each person their own in payroll.";
        fr "« {taken} » est aussi attribué à {owner} (ligne {other_lines})." => "Attribuez à chaque personne une valeur différente dans le logiciel de paie.";
        de "„{taken}“ bekommt auch {owner} (Zeile {other_lines})." => "Geben Sie im Lohnprogramm jeder Person ihren eigenen Wert.";
    D107 "" Warning Applied each [("person", "DUPONT Anne"), ("users", "DUPONT Anne (00123)")]
        en "{person} was created, and somebody of that name is known already: {users}." => "If they are the same person under a new number, tell the operator; if not, nothing needs doing.";
        fr "{person} a été créé(e) alors qu’une personne de ce nom est déjà connue : {users}." => "S’il s’agit de la même personne sous un nouveau matricule, prévenez l’exploitant ; sinon, il n’y a rien à faire.";
        de "{person} wurde neu angelegt; jemand dieses Namens ist schon bekannt: {users}." => "Ist es dieselbe Person unter einer neuen Nummer, sagen Sie dem Betreiber Bescheid; sonst ist nichts zu tun.";
    X201 "" Field CellRefused each [("column", "manager"), ("value", "00999")]
        en "{column} is “{value}”: nobody has this employee number, login, e-mail address or full name." => "Correct the manager in payroll, or add them to the file.";
        fr "{column} contient « {value} » : personne n’a ce matricule, cet identifiant, cette adresse e-mail ou ce nom complet." => "Corrigez le responsable dans le logiciel de paie, ou ajoutez-le au fichier.";
        de "{column} enthält „{value}“: Niemand hat diese Personalnummer, diesen Benutzernamen, diese E-Mail-Adresse oder diesen vollen Namen." => "Korrigieren Sie die Führungskraft im Lohnprogramm, oder nehmen Sie sie in die Datei auf.";
    X202 "" Field CellRefused each [("column", "manager"), ("value", "Martin Paul"), ("candidates", "MARTIN Paul (00123), MARTIN Paul (00456)")]
        en "{column} is “{value}”, which fits several people: {candidates}." => "Name the manager by employee number.";
        fr "{column} contient « {value} », ce qui correspond à plusieurs personnes : {candidates}." => "Désignez le responsable par son matricule.";
        de "{column} enthält „{value}“, das passt auf mehrere Personen: {candidates}." => "Nennen Sie die Führungskraft mit der Personalnummer.";
    X203 "" Warning Told each [("manager", "MARTIN Paul"), ("date", "2026-06-30")]
        en "The manager {manager} left on {date}." => "Name the successor in payroll.";
        fr "Le responsable {manager} a quitté l’entreprise le {date}." => "Indiquez son successeur dans le logiciel de paie.";
        de "Die Führungskraft {manager} ist am {date} ausgetreten." => "Tragen Sie im Lohnprogramm die Nachfolge ein.";
    X203 "to_come" Warning Told each [("manager", "MARTIN Paul"), ("date", "2027-01-01")]
        en "The manager {manager} only arrives on {date}." => "Nothing, if somebody else stands in until then.";
        fr "Le responsable {manager} n’arrive que le {date}." => "Rien, si une autre personne assure l’intérim.";
        de "Die Führungskraft {manager} tritt erst am {date} ein." => "Nichts, wenn bis dahin jemand vertritt.";
    X204 "" Field CellRefused each [("path", "DUPONT Anne → MARTIN Paul → DUPONT Anne")]
        en "The managers form a circle: {path}." => "Correct one of these managers in payroll.";
        fr "Les responsables forment une boucle : {path}." => "Corrigez l’un de ces responsables dans le logiciel de paie.";
        de "Die Führungskräfte bilden einen Kreis: {path}." => "Korrigieren Sie eine dieser Führungskräfte im Lohnprogramm.";
    X205 "" Info Applied each [("person", "DUPONT Anne")]
        en "{person} is their own manager: the top of the tree." => "";
        fr "{person} est son propre responsable : le sommet de la hiérarchie." => "";
        de "{person} ist die eigene Führungskraft: die Spitze der Hierarchie." => "";
    X206 "" Info Applied each [("field", "department"), ("code", "D12")]
        en "“{code}” is new in the list “{field}”." => "If it is a slip of the pen, correct it in payroll.";
        fr "« {code} » est nouveau dans la liste « {field} »." => "S’il s’agit d’une faute de frappe, corrigez-la dans le logiciel de paie.";
        de "„{code}“ ist neu in der Liste „{field}“." => "Ist es ein Tippfehler, korrigieren Sie ihn im Lohnprogramm.";
    X206 "several" Info Applied each [("field", "department"), ("codes", "D12 · D13")]
        en "New in the list “{field}”: {codes}." => "If one is a slip of the pen, correct it in payroll.";
        fr "Nouveaux dans la liste « {field} » : {codes}." => "Si l’un d’eux est une faute de frappe, corrigez-la dans le logiciel de paie.";
        de "Neu in der Liste „{field}“: {codes}." => "Ist einer davon ein Tippfehler, korrigieren Sie ihn im Lohnprogramm.";
    X206 "blocked" Field CellRefused each [("column", "department"), ("code", "D99")]
        en "{column} is “{code}”: this code is not in the value map of this folder." => "Correct the code in payroll, or have the operator add it to the value map.";
        fr "{column} contient « {code} » : ce code ne figure pas dans la table de correspondance de ce dossier." => "Corrigez le code dans le logiciel de paie, ou faites-le ajouter à la table par l’exploitant.";
        de "{column} enthält „{code}“: Dieser Code steht nicht in der Zuordnungstabelle dieses Ordners." => "Korrigieren Sie den Code im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Tabelle aufnehmen.";
    X206 "unlisted" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "D99")]
        en "{column}: “{code}” is not in the list “{field}”, and no file may add to this list." => "Correct the value in payroll, or have the operator add it to the list or map it to an entry.";
        fr "{column} : « {code} » ne figure pas dans la liste « {field} », et un fichier ne peut pas la compléter." => "Corrigez la valeur dans le logiciel de paie, ou faites-la ajouter à la liste ou rattacher à une entrée par l’exploitant.";
        de "{column}: „{code}“ steht nicht in der Liste „{field}“, und keine Datei darf diese Liste ergänzen." => "Korrigieren Sie den Wert im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Liste aufnehmen oder einem Eintrag zuordnen.";
    X206 "unlisted_near" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "Acounting"), ("near", "10 (Accounting)")]
        en "{column}: “{code}” is not in the list “{field}”, and no file may add to this list. Perhaps meant: {near}." => "Correct the value in payroll, or have the operator add it to the list or map it to an entry.";
        fr "{column} : « {code} » ne figure pas dans la liste « {field} », et un fichier ne peut pas la compléter. Peut-être : {near}." => "Corrigez la valeur dans le logiciel de paie, ou faites-la ajouter à la liste ou rattacher à une entrée par l’exploitant.";
        de "{column}: „{code}“ steht nicht in der Liste „{field}“, und keine Datei darf diese Liste ergänzen. Vielleicht gemeint: {near}." => "Korrigieren Sie den Wert im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Liste aufnehmen oder einem Eintrag zuordnen.";
    X206 "same_name" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "Sales"), ("codes", "41 · 42")]
        en "{column}: “{code}” is the name of several entries of the list “{field}”: {codes}." => "Write the code in place of the name.";
        fr "{column} : « {code} » est le nom de plusieurs entrées de la liste « {field} » : {codes}." => "Indiquez le code à la place du nom.";
        de "{column}: „{code}“ heißen mehrere Einträge der Liste „{field}“: {codes}." => "Geben Sie den Code statt des Namens an.";
    X206 "default" Warning Told each [("field", "department"), ("default", "D99")]
        en "The default “{default}” of “{field}” was not given: the list “{field}” has no such entry." => "Have the operator add it to the list, or change the default.";
        fr "La valeur par défaut « {default} » du champ « {field} » n’a pas été prise : elle ne figure pas dans la liste." => "Faites-la ajouter à la liste, ou faites modifier la valeur par défaut, par l’exploitant.";
        de "Der Standardwert „{default}“ für „{field}“ wurde nicht genommen: Er steht nicht in der Liste." => "Lassen Sie ihn vom Betreiber in die Liste aufnehmen, oder lassen Sie den Standardwert ändern.";
};
