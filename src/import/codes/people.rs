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
        fr "Le matricule {key} correspond à plusieurs personnes\u{a0}: {users}." => "Envoyez aussi l’entité légale, avec le matricule dans les deux premières colonnes, et faites régler la clé de ce dossier sur legal_entity+employee_number par l’exploitant.";
        de "Die Personalnummer {key} passt auf mehrere Personen: {users}." => "Senden Sie auch die Gesellschaft, mit der Nummer in den ersten beiden Spalten, und lassen Sie den Betreiber den Schlüssel dieses Ordners auf legal_entity+employee_number stellen.";
    D102 "" Warning RowIgnored each [("first_line", "4")]
        en "The same person stands on line {first_line} already, with the same content; this row was left out." => "Remove the second row from the export.";
        fr "La même personne figure déjà à la ligne {first_line}, avec le même contenu\u{a0}; cette ligne a été laissée de côté." => "Supprimez la seconde ligne de l’export.";
        de "Dieselbe Person steht mit demselben Inhalt schon in Zeile {first_line}; diese Zeile wurde übergangen." => "Entfernen Sie die zweite Zeile aus dem Export.";
    D102 "many" Warning RowIgnored grouped [("count", "412"), ("first_line", "2"), ("lines", "414, 415, 416, …")]
        en "{count} rows name people who stand further up already, with the same content (the first on line {first_line}); these rows were left out. The export was probably written into the file twice." => "Empty the target file before each export, and send the file once more if anybody is missing.";
        fr "{count} lignes citent des personnes qui figurent déjà plus haut avec le même contenu (la première à la ligne {first_line})\u{a0}; ces lignes ont été laissées de côté. L’export a sans doute été écrit deux fois dans le fichier." => "Videz le fichier cible avant chaque export et renvoyez le fichier s’il manque quelqu’un.";
        de "{count} Zeilen nennen Personen, die mit demselben Inhalt schon weiter oben stehen (die erste in Zeile {first_line}); diese Zeilen wurden übergangen. Der Export steht vermutlich zweimal in der Datei." => "Leeren Sie die Zieldatei vor jedem Export, und senden Sie die Datei noch einmal, falls jemand fehlt.";
    D103 "" Error RowRefused each [("other_lines", "12")]
        en "The same person stands several times in the file, with different content (see also line {other_lines}); none of these rows was applied." => "Keep the right row and send the file again, or mend the corrections file.";
        fr "La même personne figure plusieurs fois dans le fichier, avec des contenus différents (voir aussi la ligne {other_lines})\u{a0}; aucune de ces lignes n’a été appliquée." => "Gardez la bonne ligne et renvoyez le fichier, ou corrigez le fichier de corrections.";
        de "Dieselbe Person steht mehrmals mit verschiedenem Inhalt in der Datei (siehe auch Zeile {other_lines}); keine dieser Zeilen wurde übernommen." => "Behalten Sie die richtige Zeile und senden Sie die Datei erneut, oder bessern Sie die Korrekturdatei aus.";
    D104 "" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 00123"), ("taken", "anne.dupont@example.org"), ("person", "DUPONT Anne")]
        en "“{taken}” is the address of {user} ({known}), whose number is not in the file: {person} is probably the same person under a new number. Nothing of the row was applied." => "If it is the same person, have the operator approve line {line}, or send the old number in a column “previous employee number”; the record then goes on under the new number. If they are two people, correct the address in payroll.";
        fr "«\u{a0}{taken}\u{a0}» est l’adresse de {user} ({known}), dont le matricule n’est pas dans le fichier\u{a0}: {person} est sans doute la même personne sous un nouveau matricule. Rien de cette ligne n’a été appliqué." => "S’il s’agit de la même personne, faites approuver la ligne {line} par l’exploitant, ou envoyez l’ancien matricule dans une colonne «\u{a0}ancien matricule\u{a0}»\u{a0}; la fiche continue alors sous le nouveau. Si ce sont deux personnes, corrigez l’adresse dans le logiciel de paie.";
        de "„{taken}“ ist die Adresse von {user} ({known}), deren Nummer nicht in der Datei steht: {person} ist vermutlich dieselbe Person unter einer neuen Nummer. Von der Zeile wurde nichts übernommen." => "Ist es dieselbe Person, lassen Sie Zeile {line} vom Betreiber freigeben, oder senden Sie die alte Nummer in einer Spalte „alte Personalnummer“; der Eintrag läuft dann unter der neuen Nummer weiter. Sind es zwei Personen, korrigieren Sie die Adresse im Lohnprogramm.";
    D104 "birth" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 00123"), ("person", "DUPONT Anne")]
        en "{person} has the name and date of birth of {user} ({known}), whose number is not in the file: probably the same person under a new number. Nothing of the row was applied." => "If it is the same person, have the operator approve line {line}, or send the old number in a column “previous employee number”; the record then goes on under the new number. If they are two people, check the date of birth in payroll and tell the operator.";
        fr "{person} porte le nom et la date de naissance de {user} ({known}), dont le matricule n’est pas dans le fichier\u{a0}: sans doute la même personne sous un nouveau matricule. Rien de cette ligne n’a été appliqué." => "S’il s’agit de la même personne, faites approuver la ligne {line} par l’exploitant, ou envoyez l’ancien matricule dans une colonne «\u{a0}ancien matricule\u{a0}»\u{a0}; la fiche continue alors sous le nouveau. Si ce sont deux personnes, vérifiez la date de naissance dans le logiciel de paie et prévenez l’exploitant.";
        de "{person} hat Namen und Geburtsdatum von {user} ({known}), deren Nummer nicht in der Datei steht: vermutlich dieselbe Person unter einer neuen Nummer. Von der Zeile wurde nichts übernommen." => "Ist es dieselbe Person, lassen Sie Zeile {line} vom Betreiber freigeben, oder senden Sie die alte Nummer in einer Spalte „alte Personalnummer“; der Eintrag läuft dann unter der neuen Nummer weiter. Sind es zwei Personen, prüfen Sie das Geburtsdatum im Lohnprogramm und sagen Sie dem Betreiber Bescheid.";
    D104 "zeros" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 123"), ("person", "DUPONT Anne")]
        en "{person} has the number of {user} ({known}) with other zeros in front, and {known} is not in the file: probably the same person, whose number is written differently now. Nothing of the row was applied." => "Export the number as in the files before. If payroll writes it like this from now on, have the operator approve line {line}; the record then goes on under the new number.";
        fr "{person} porte le matricule de {user} ({known}) avec d’autres zéros devant, et {known} n’est pas dans le fichier\u{a0}: sans doute la même personne, dont le matricule s’écrit autrement. Rien de cette ligne n’a été appliqué." => "Exportez le matricule comme dans les fichiers précédents. Si le logiciel de paie l’écrit ainsi désormais, faites approuver la ligne {line} par l’exploitant\u{a0}; la fiche continue alors sous le nouveau.";
        de "{person} hat die Nummer von {user} ({known}) mit anderen führenden Nullen, und {known} steht nicht in der Datei: vermutlich dieselbe Person, deren Nummer nun anders geschrieben wird. Von der Zeile wurde nichts übernommen." => "Exportieren Sie die Nummer wie in den früheren Dateien. Schreibt das Lohnprogramm sie ab jetzt so, lassen Sie Zeile {line} vom Betreiber freigeben; der Eintrag läuft dann unter der neuen Nummer weiter.";
    D104 "several" Error RowRefused each [("person", "DUPONT Anne"), ("users", "DUPONT Anne (FR01 + 00123), DUPONT Anne (FR02 + 00456)")]
        en "{person} has a new number and could be one of several people who are not in the file: {users}. Nothing of the row was applied." => "Send the old number of this person in a column “previous employee number”.";
        fr "{person} a un nouveau matricule et pourrait être l’une de plusieurs personnes absentes du fichier\u{a0}: {users}. Rien de cette ligne n’a été appliqué." => "Envoyez l’ancien matricule de cette personne dans une colonne «\u{a0}ancien matricule\u{a0}».";
        de "{person} hat eine neue Nummer und könnte eine von mehreren Personen sein, die nicht in der Datei stehen: {users}. Von der Zeile wurde nichts übernommen." => "Senden Sie die alte Nummer dieser Person in einer Spalte „alte Personalnummer“.";
    D104 "contested" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 00123"), ("other_lines", "12")]
        en "Several rows claim to be {user} ({known}) under a new number (see also line {other_lines}); none of them was applied." => "Give the previous number on one row only.";
        fr "Plusieurs lignes prétendent être {user} ({known}) sous un nouveau matricule (voir aussi la ligne {other_lines})\u{a0}; aucune n’a été appliquée." => "N’indiquez l’ancien matricule que sur une seule ligne.";
        de "Mehrere Zeilen wollen {user} ({known}) unter einer neuen Nummer sein (siehe auch Zeile {other_lines}); keine davon wurde übernommen." => "Geben Sie die alte Nummer nur in einer Zeile an.";
    D104 "in_file" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 00123")]
        en "The row gives {known} as its previous number, but {user} is in the file under that number too. Nothing of the row was applied." => "Remove the row under the old number, or the previous number from this one.";
        fr "La ligne indique {known} comme ancien matricule, mais {user} figure aussi dans le fichier sous ce matricule. Rien de cette ligne n’a été appliqué." => "Supprimez la ligne de l’ancien matricule, ou l’ancien matricule de celle-ci.";
        de "Die Zeile nennt {known} als alte Nummer, {user} steht aber auch unter dieser Nummer in der Datei. Von der Zeile wurde nichts übernommen." => "Entfernen Sie die Zeile mit der alten Nummer, oder die alte Nummer aus dieser Zeile.";
    D104 "discarded" Error RowRefused each [("user", "DUPONT Anne"), ("known", "FR01 + 00123"), ("person", "DUPONT Anne")]
        en "{person} looked like {user} ({known}) under a new number. The row was discarded and nothing of it was applied." => "If it is the same person, send the old number in a column “previous employee number”. If they are two people, correct the address or the date of birth that they share in payroll.";
        fr "{person} ressemblait à {user} ({known}) sous un nouveau matricule. La ligne a été abandonnée et rien n’en a été appliqué." => "S’il s’agit de la même personne, envoyez l’ancien matricule dans une colonne «\u{a0}ancien matricule\u{a0}». Si ce sont deux personnes, corrigez dans le logiciel de paie l’adresse ou la date de naissance qu’elles ont en commun.";
        de "{person} sah aus wie {user} ({known}) unter einer neuen Nummer. Die Zeile wurde verworfen, und nichts davon wurde übernommen." => "Ist es dieselbe Person, senden Sie die alte Nummer in einer Spalte „alte Personalnummer“. Sind es zwei Personen, korrigieren Sie im Lohnprogramm die Adresse oder das Geburtsdatum, das beide haben.";
    D104 "taken" Info Applied each [("user", "DUPONT Anne"), ("known", "FR01 + 00123")]
        en "{user} ({known}) has a new number; the same record goes on." => "";
        fr "{user} ({known}) a un nouveau matricule\u{a0}; la même fiche continue." => "";
        de "{user} ({known}) hat eine neue Nummer; derselbe Eintrag läuft weiter." => "";
    D105 "" Error RowHeld each [("user", "DUPONT Anne"), ("person", "MARTIN Paul"), ("value", "00123")]
        en "The number “{value}” belongs to {user}, but the row names {person}, and neither e-mail address nor date of birth says that they are the same person. The row waits and nothing of it was applied." => "If payroll gave the number to somebody else, give {person} a number of their own. If it is the same person after all, have the operator approve line {line}.";
        fr "Le matricule «\u{a0}{value}\u{a0}» est celui de {user}, mais la ligne désigne {person}, et ni l’adresse e-mail ni la date de naissance n’indiquent qu’il s’agit de la même personne. La ligne est en attente et rien n’en a été appliqué." => "Si la paie a réattribué ce matricule, donnez-en un autre à {person}. S’il s’agit bien de la même personne, faites approuver la ligne {line} par l’exploitant.";
        de "Die Nummer „{value}“ gehört {user}, die Zeile nennt aber {person}, und weder E-Mail-Adresse noch Geburtsdatum sprechen für dieselbe Person. Die Zeile wartet, und nichts davon wurde übernommen." => "Hat das Lohnprogramm die Nummer neu vergeben, geben Sie {person} eine eigene. Ist es doch dieselbe Person, lassen Sie Zeile {line} vom Betreiber freigeben.";
    D105 "discarded" Error RowRefused each [("user", "DUPONT Anne"), ("person", "MARTIN Paul"), ("value", "00123")]
        en "The number “{value}” belongs to {user}, but the row names {person}, and neither e-mail address nor date of birth says that they are the same person. The row was discarded and nothing of it was applied." => "Give {person} a number of their own in payroll.";
        fr "Le matricule «\u{a0}{value}\u{a0}» est celui de {user}, mais la ligne désigne {person}, et ni l’adresse e-mail ni la date de naissance n’indiquent qu’il s’agit de la même personne. La ligne a été abandonnée et rien n’en a été appliqué." => "Attribuez un autre matricule à {person} dans le logiciel de paie.";
        de "Die Nummer „{value}“ gehört {user}, die Zeile nennt aber {person}, und weder E-Mail-Adresse noch Geburtsdatum sprechen für dieselbe Person. Die Zeile wurde verworfen, und nichts davon wurde übernommen." => "Geben Sie {person} im Lohnprogramm eine eigene Nummer.";
    D105 "applied" Warning Applied each [("user", "DUPONT Anne"), ("person", "MARTIN Paul"), ("value", "00123")]
        en "The number “{value}” was {user}’s; the row names {person}, and neither e-mail address nor date of birth says that they are the same person." => "Check in payroll that the numbers of the file have not been mixed up.";
        fr "Le matricule «\u{a0}{value}\u{a0}» était celui de {user}\u{a0}; la ligne désigne {person}, et ni l’adresse e-mail ni la date de naissance n’indiquent qu’il s’agit de la même personne." => "Vérifiez dans le logiciel de paie que les matricules du fichier ne sont pas mélangés.";
        de "Die Nummer „{value}“ war die von {user}; die Zeile nennt {person}, und weder E-Mail-Adresse noch Geburtsdatum sprechen für dieselbe Person." => "Prüfen Sie im Lohnprogramm, ob die Nummern der Datei durcheinandergeraten sind.";
    D105 "many" Warning Held each [("import", "0193…"), ("observed", "12"), ("of", "400"), ("people", "MARTIN Paul, ROY Zoé")]
        en "{observed} of {of} rows name somebody else than before under a known number: {people}. The numbers of the file are probably mixed up, so the whole file waits." => "Check in payroll that each number stands beside its person, and send the file again. If the numbers really belong to other people now, {dry_run|send the file to the import folder, where it waits for approval|ask the operator to approve import }{import}.";
        fr "{observed} lignes sur {of} désignent quelqu’un d’autre qu’auparavant sous un matricule connu\u{a0}: {people}. Les matricules du fichier sont sans doute mélangés\u{a0}; tout le fichier est donc en attente." => "Vérifiez dans le logiciel de paie que chaque matricule est bien en face de sa personne, puis renvoyez le fichier. Si les matricules appartiennent vraiment à d’autres personnes, {dry_run|déposez le fichier dans le dossier d’import, où il attendra l’approbation|demandez à l’exploitant d’approuver l’import }{import}.";
        de "{observed} von {of} Zeilen nennen unter einer bekannten Nummer jemand anderen als bisher: {people}. Die Nummern der Datei sind vermutlich durcheinandergeraten, daher wartet die ganze Datei." => "Prüfen Sie im Lohnprogramm, ob jede Nummer bei ihrer Person steht, und senden Sie die Datei erneut. Gehören die Nummern jetzt wirklich anderen Personen, {dry_run|legen Sie die Datei in den Importordner, wo sie auf Freigabe wartet|bitten Sie den Betreiber, den Import }{import}{dry_run|| freizugeben}.";
    D106 "" Error RowRefused each [("taken", "anne.dupont@example.org"), ("owner", "DUPONT Anne")]
        en "“{taken}” is already used by {owner} (in the directory)." => "Give this person another one in payroll; if both rows are the same person under two numbers, correct the number.";
        fr "«\u{a0}{taken}\u{a0}» est déjà utilisé par {owner} (dans l’annuaire)." => "Indiquez-en un autre dans le logiciel de paie\u{a0}; s’il s’agit de la même personne sous deux matricules, corrigez le matricule.";
        de "„{taken}“ wird bereits von {owner} verwendet (im Verzeichnis)." => "Tragen Sie im Lohnprogramm einen anderen Wert ein; ist es dieselbe Person unter zwei Nummern, korrigieren Sie die Nummer.";
    D106 "file" Error RowRefused each [("taken", "anne.dupont@example.org"), ("person", "MARTIN Paul"), ("line", "4"), ("owner", "DUPONT Anne"), ("other_lines", "12")]
        en "“{taken}” stands twice in the file: here for {person} (line {line}) and for {owner} (line {other_lines}). It can belong to one person only, and the file does not say to whom: none of these rows was applied." => "Give each person their own in payroll; if both rows are the same person, remove one.";
        fr "«\u{a0}{taken}\u{a0}» figure deux fois dans le fichier\u{a0}: ici pour {person} (ligne {line}) et pour {owner} (ligne {other_lines}). Il ne peut appartenir qu’à une personne et le fichier ne dit pas à laquelle\u{a0}: aucune de ces lignes n’a été appliquée." => "Attribuez à chaque personne une valeur différente dans le logiciel de paie\u{a0}; si les deux lignes sont la même personne, supprimez-en une.";
        de "„{taken}“ steht zweimal in der Datei: hier für {person} (Zeile {line}) und für {owner} (Zeile {other_lines}). Es kann nur einer Person gehören, und die Datei sagt nicht, welcher: keine dieser Zeilen wurde übernommen." => "Geben Sie im Lohnprogramm jeder Person ihren eigenen Wert; sind beide Zeilen dieselbe Person, entfernen Sie eine davon.";
    D107 "" Warning Applied each [("person", "DUPONT Anne"), ("users", "DUPONT Anne (00123)")]
        en "{person} is a new person, and somebody of that name is known already: {users}." => "If they are the same person under a new number, tell the operator; if not, nothing needs doing.";
        fr "{person} est une nouvelle personne, et quelqu’un de ce nom est déjà connu\u{a0}: {users}." => "S’il s’agit de la même personne sous un nouveau matricule, prévenez l’exploitant\u{a0}; sinon, il n’y a rien à faire.";
        de "{person} ist eine neue Person; jemand dieses Namens ist schon bekannt: {users}." => "Ist es dieselbe Person unter einer neuen Nummer, sagen Sie dem Betreiber Bescheid; sonst ist nichts zu tun.";
    X201 "" Field CellRefused each [("column", "manager"), ("value", "00999")]
        en "{column} is “{value}”: nobody has this employee number, login, e-mail address or full name." => "Correct the manager in payroll, or add them to the file.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: personne n’a ce matricule, cet identifiant, cette adresse e-mail ou ce nom complet." => "Corrigez le responsable dans le logiciel de paie, ou ajoutez-le au fichier.";
        de "{column} enthält „{value}“: Niemand hat diese Personalnummer, diesen Benutzernamen, diese E-Mail-Adresse oder diesen vollen Namen." => "Korrigieren Sie die Führungskraft im Lohnprogramm, oder nehmen Sie sie in die Datei auf.";
    X201 "appeared" Info Applied each [("person", "DUPONT Anne"), ("manager", "MARTIN Paul")]
        en "{manager}, whom an earlier file named as the manager of {person}, is in the directory now and was set." => "";
        fr "{manager}, qu’un fichier précédent désignait comme responsable de {person}, est désormais dans l’annuaire et a été enregistré comme tel." => "";
        de "{manager}, in einer früheren Datei als Führungskraft von {person} genannt, steht jetzt im Verzeichnis und wurde eingetragen." => "";
    X201 "default" Warning Told each [("field", "manager"), ("default", "00999")]
        en "The default “{default}” of “{field}” was not given: nobody has this employee number, login, e-mail address or full name." => "Have the operator correct the default; as soon as there is such a person, they are set.";
        fr "La valeur par défaut «\u{a0}{default}\u{a0}» du champ «\u{a0}{field}\u{a0}» n’a pas été prise\u{a0}: personne n’a ce matricule, cet identifiant, cette adresse e-mail ou ce nom complet." => "Faites corriger la valeur par défaut par l’exploitant\u{a0}; dès qu’une telle personne est connue, elle est enregistrée.";
        de "Der Standardwert „{default}“ für „{field}“ wurde nicht genommen: Niemand hat diese Personalnummer, diesen Benutzernamen, diese E-Mail-Adresse oder diesen vollen Namen." => "Lassen Sie den Standardwert vom Betreiber berichtigen; sobald es diese Person gibt, wird sie eingetragen.";
    X201 "default_zeros" Warning Told each [("field", "manager"), ("default", "123"), ("known", "00123"), ("user", "DUPONT Anne")]
        en "The default “{default}” of “{field}” was not given: nobody has this number, but {user} has “{known}”." => "Have the operator write the default with the zeros in front.";
        fr "La valeur par défaut «\u{a0}{default}\u{a0}» du champ «\u{a0}{field}\u{a0}» n’a pas été prise\u{a0}: personne n’a ce matricule, mais {user} a «\u{a0}{known}\u{a0}»." => "Faites écrire la valeur par défaut avec ses zéros de tête par l’exploitant.";
        de "Der Standardwert „{default}“ für „{field}“ wurde nicht genommen: Niemand hat diese Nummer, aber {user} hat „{known}“." => "Lassen Sie den Standardwert vom Betreiber mit den führenden Nullen schreiben.";
    X202 "" Field CellRefused each [("column", "manager"), ("value", "Martin Paul"), ("candidates", "MARTIN Paul (00123), MARTIN Paul (00456)")]
        en "{column} is “{value}”, which fits several people: {candidates}." => "Name the manager by employee number.";
        fr "{column} contient «\u{a0}{value}\u{a0}», ce qui correspond à plusieurs personnes\u{a0}: {candidates}." => "Désignez le responsable par son matricule.";
        de "{column} enthält „{value}“, das passt auf mehrere Personen: {candidates}." => "Nennen Sie die Führungskraft mit der Personalnummer.";
    X202 "default" Warning Told each [("field", "manager"), ("default", "Martin Paul"), ("candidates", "MARTIN Paul (00123), MARTIN Paul (00456)")]
        en "The default “{default}” of “{field}” was not given: it fits several people: {candidates}." => "Have the operator correct the default: name the manager by employee number.";
        fr "La valeur par défaut «\u{a0}{default}\u{a0}» du champ «\u{a0}{field}\u{a0}» n’a pas été prise\u{a0}: elle correspond à plusieurs personnes\u{a0}: {candidates}." => "Faites corriger la valeur par défaut par l’exploitant\u{a0}: qu’il désigne le responsable par son matricule.";
        de "Der Standardwert „{default}“ für „{field}“ wurde nicht genommen: Er passt auf mehrere Personen: {candidates}." => "Lassen Sie den Standardwert vom Betreiber berichtigen: die Führungskraft mit der Personalnummer nennen.";
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
        fr "Les responsables forment une boucle\u{a0}: {path}." => "Corrigez l’un de ces responsables dans le logiciel de paie.";
        de "Die Führungskräfte bilden einen Kreis: {path}." => "Korrigieren Sie eine dieser Führungskräfte im Lohnprogramm.";
    X205 "" Info Applied each [("person", "DUPONT Anne")]
        en "{person} is their own manager: the top of the tree." => "";
        fr "{person} est son propre responsable\u{a0}: le sommet de la hiérarchie." => "";
        de "{person} ist die eigene Führungskraft: die Spitze der Hierarchie." => "";
    X206 "" Info Applied each [("field", "department"), ("code", "D12")]
        en "“{code}” is new in the list “{field}”." => "If it is a typing error, correct it in payroll.";
        fr "«\u{a0}{code}\u{a0}» est nouveau dans la liste «\u{a0}{field}\u{a0}»." => "S’il s’agit d’une faute de frappe, corrigez-la dans le logiciel de paie.";
        de "„{code}“ ist neu in der Liste „{field}“." => "Ist es ein Tippfehler, korrigieren Sie ihn im Lohnprogramm.";
    X206 "several" Info Applied each [("field", "department"), ("codes", "D12 · D13")]
        en "New in the list “{field}”: {codes}." => "If one is a typing error, correct it in payroll.";
        fr "Nouveaux dans la liste «\u{a0}{field}\u{a0}»\u{a0}: {codes}." => "Si l’un d’eux est une faute de frappe, corrigez-la dans le logiciel de paie.";
        de "Neu in der Liste „{field}“: {codes}." => "Ist einer davon ein Tippfehler, korrigieren Sie ihn im Lohnprogramm.";
    X206 "blocked" Field CellRefused each [("column", "department"), ("code", "D99")]
        en "{column} is “{code}”: this code is not in the value map of this folder." => "Correct the code in payroll, or have the operator add it to the value map.";
        fr "{column} contient «\u{a0}{code}\u{a0}»\u{a0}: ce code ne figure pas dans la table de correspondance de ce dossier." => "Corrigez le code dans le logiciel de paie, ou faites-le ajouter à la table par l’exploitant.";
        de "{column} enthält „{code}“: Dieser Code steht nicht in der Zuordnungstabelle dieses Ordners." => "Korrigieren Sie den Code im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Tabelle aufnehmen.";
    X206 "unlisted" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "D99")]
        en "{column}: “{code}” is not in the list “{field}”, and no file may add to this list." => "Correct the value in payroll, or have the operator add it to the list or map it to an entry.";
        fr "{column}\u{a0}: «\u{a0}{code}\u{a0}» ne figure pas dans la liste «\u{a0}{field}\u{a0}», et un fichier ne peut pas la compléter." => "Corrigez la valeur dans le logiciel de paie, ou faites-la ajouter à la liste ou rattacher à une entrée par l’exploitant.";
        de "{column}: „{code}“ steht nicht in der Liste „{field}“, und keine Datei darf diese Liste ergänzen." => "Korrigieren Sie den Wert im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Liste aufnehmen oder einem Eintrag zuordnen.";
    X206 "unlisted_near" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "Acounting"), ("near", "10 (Accounting)")]
        en "{column}: “{code}” is not in the list “{field}”, and no file may add to this list. Perhaps meant: {near}." => "Correct the value in payroll, or have the operator add it to the list or map it to an entry.";
        fr "{column}\u{a0}: «\u{a0}{code}\u{a0}» ne figure pas dans la liste «\u{a0}{field}\u{a0}», et un fichier ne peut pas la compléter. Peut-être\u{a0}: {near}." => "Corrigez la valeur dans le logiciel de paie, ou faites-la ajouter à la liste ou rattacher à une entrée par l’exploitant.";
        de "{column}: „{code}“ steht nicht in der Liste „{field}“, und keine Datei darf diese Liste ergänzen. Vielleicht gemeint: {near}." => "Korrigieren Sie den Wert im Lohnprogramm, oder lassen Sie ihn vom Betreiber in die Liste aufnehmen oder einem Eintrag zuordnen.";
    X206 "same_name" Field CellRefused each [("column", "department"), ("field", "department"), ("code", "Sales"), ("codes", "41 · 42")]
        en "{column}: “{code}” is the name of several entries of the list “{field}”: {codes}." => "Write the code in place of the name.";
        fr "{column}\u{a0}: «\u{a0}{code}\u{a0}» est le nom de plusieurs entrées de la liste «\u{a0}{field}\u{a0}»\u{a0}: {codes}." => "Indiquez le code à la place du nom.";
        de "{column}: „{code}“ heißen mehrere Einträge der Liste „{field}“: {codes}." => "Geben Sie den Code statt des Namens an.";
    X206 "default" Warning Told each [("field", "department"), ("default", "D99")]
        en "The default “{default}” of “{field}” was not given: the list “{field}” has no such entry." => "Have the operator add it to the list, or change the default.";
        fr "La valeur par défaut «\u{a0}{default}\u{a0}» du champ «\u{a0}{field}\u{a0}» n’a pas été prise\u{a0}: elle ne figure pas dans la liste." => "Faites-la ajouter à la liste, ou faites modifier la valeur par défaut, par l’exploitant.";
        de "Der Standardwert „{default}“ für „{field}“ wurde nicht genommen: Er steht nicht in der Liste." => "Lassen Sie ihn vom Betreiber in die Liste aufnehmen, oder lassen Sie den Standardwert ändern.";
};
