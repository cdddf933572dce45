//! The texts about rows and their cells: R and V codes.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    R101 "" Error RowRefused each [("cells", "13"), ("columns", "11")]
        en "The row has {cells} {cells|cell|cells}, the header has {columns}: its values stand in the wrong columns." => "Look for a separator inside a value (a name, an address); put that value between quotation marks.";
        fr "La ligne a {cells} {cells|cellule|cellules}, l’en-tête en a {columns}\u{a0}: ses valeurs ne sont pas dans les bonnes colonnes." => "Cherchez un séparateur à l’intérieur d’une valeur (nom, adresse) et mettez cette valeur entre guillemets.";
        de "Die Zeile hat {cells} {cells|Zelle|Zellen}, die Kopfzeile {columns}: Ihre Werte stehen in den falschen Spalten." => "Suchen Sie ein Trennzeichen innerhalb eines Wertes (Name, Adresse) und setzen Sie diesen Wert in Anführungszeichen.";
    R101 "missing" Error RowRefused each [("cells", "2"), ("columns", "11"), ("field", "last_name")]
        en "The row has {cells} {cells|cell|cells}, the header has {columns}; “{field}” is among the missing ones." => "Complete the row: every column needs its separator, also where the value is blank.";
        fr "La ligne a {cells} {cells|cellule|cellules}, l’en-tête en a {columns}\u{a0}; «\u{a0}{field}\u{a0}» fait partie des cellules manquantes." => "Complétez la ligne\u{a0}: chaque colonne doit avoir son séparateur, même si la valeur est vide.";
        de "Die Zeile hat {cells} {cells|Zelle|Zellen}, die Kopfzeile {columns}; „{field}“ gehört zu den fehlenden." => "Ergänzen Sie die Zeile: Jede Spalte braucht ihr Trennzeichen, auch wenn der Wert leer ist.";
    R101 "short" Warning Applied grouped [("cells", "9"), ("columns", "11")]
        en "The row has {cells} {cells|cell|cells}, the header has {columns}; the missing ones change nothing." => "Write every separator, also where the values at the end of a row are blank.";
        fr "La ligne a {cells} {cells|cellule|cellules}, l’en-tête en a {columns}\u{a0}; les cellules manquantes ne modifient rien." => "Écrivez tous les séparateurs, même si les valeurs en fin de ligne sont vides.";
        de "Die Zeile hat {cells} {cells|Zelle|Zellen}, die Kopfzeile {columns}; die fehlenden ändern nichts." => "Schreiben Sie alle Trennzeichen, auch wenn die Werte am Zeilenende leer sind.";
    R102 "" Info LineLeftOut each [("count", "2"), ("lines", "4, 9")]
        en "Blank rows were left out: no. {lines} ({count} in all)." => "";
        fr "Lignes vides laissées de côté\u{a0}: n° {lines} ({count} en tout)." => "";
        de "Leere Zeilen wurden übergangen: Nr. {lines} (insgesamt {count})." => "";
    R103 "" Error RowRefused each []
        en "The quotation marks in this row do not match, so its cells cannot be told apart." => "Write each quotation mark inside a value twice (\"\"), and close every value that opens with one.";
        fr "Les guillemets de cette ligne ne vont pas par paires\u{a0}; ses cellules ne peuvent pas être distinguées." => "Doublez chaque guillemet à l’intérieur d’une valeur (\"\") et refermez chaque valeur qui commence par un guillemet.";
        de "Die Anführungszeichen in dieser Zeile passen nicht zusammen; ihre Zellen lassen sich nicht unterscheiden." => "Verdoppeln Sie jedes Anführungszeichen innerhalb eines Wertes (\"\"), und schließen Sie jeden Wert, der mit einem beginnt.";
    R103 "whole_line" Warning AppliedChanged each [("count", "412"), ("lines", "1, 2, 3, …")]
        en "Each of these lines stands in quotation marks as if it were a single cell ({count} {count|line|lines}); the marks were taken off and the cells read." => "Send the payroll export as it is: a spreadsheet that did not split it into columns has saved it anew, and may damage numbers and dates.";
        fr "Chacune de ces lignes est entre guillemets, comme une cellule unique ({count} {count|ligne|lignes})\u{a0}; les guillemets ont été retirés et les cellules lues." => "Envoyez l’export de paie tel quel\u{a0}: il a été réenregistré par un tableur qui ne l’a pas réparti en colonnes et qui peut abîmer des numéros et des dates.";
        de "Jede dieser Zeilen steht als eine einzige Zelle in Anführungszeichen ({count} {count|Zeile|Zeilen}); die Zeichen wurden entfernt und die Zellen gelesen." => "Senden Sie den Lohnexport so, wie er ist: Eine Tabellenkalkulation, die ihn nicht in Spalten aufgeteilt hat, hat ihn neu gespeichert und kann Nummern und Datumsangaben beschädigen.";
    R104 "title" Info LineLeftOut each [("text", "Liste du personnel"), ("lines", "1")]
        en "A title above the header was left out: “{text}”." => "";
        fr "Titre au-dessus de l’en-tête laissé de côté\u{a0}: «\u{a0}{text}\u{a0}»." => "";
        de "Eine Titelzeile über der Kopfzeile wurde übergangen: „{text}“." => "";
    R104 "total" Info LineLeftOut each [("text", "Total: 412"), ("lines", "414")]
        en "A closing line below the rows was left out: “{text}”." => "";
        fr "Ligne de fin sous les données laissée de côté\u{a0}: «\u{a0}{text}\u{a0}»." => "";
        de "Eine Schlusszeile unter den Daten wurde übergangen: „{text}“." => "";
    R104 "repeated_header" Info LineLeftOut each [("lines", "52, 103")]
        en "The header line was repeated among the rows; it was left out there (line {lines})." => "";
        fr "L’en-tête était répété parmi les lignes\u{a0}; il y a été laissé de côté (ligne {lines})." => "";
        de "Die Kopfzeile war zwischen den Daten wiederholt; dort wurde sie übergangen (Zeile {lines})." => "";
    R104 "drawn" Info LineLeftOut each [("text", "---------- ---------- ----------"), ("lines", "2")]
        en "A line that is drawn with signs was left out: “{text}”." => "";
        fr "Un trait dessiné avec des signes a été laissé de côté\u{a0}: «\u{a0}{text}\u{a0}»." => "";
        de "Eine mit Zeichen gezogene Linie wurde übergangen: „{text}“." => "";
    R104 "trailing_separator" Info LineLeftOut each []
        en "Separators at the end of lines, beyond the last column, were left out." => "";
        fr "Des séparateurs en fin de ligne, au-delà de la dernière colonne, ont été laissés de côté." => "";
        de "Trennzeichen am Zeilenende, hinter der letzten Spalte, wurden übergangen." => "";
    R104 "sheets" Warning Applied each [("sheet", "FR01"), ("others", "FR02, FR03")]
        en "Of this workbook, only the first sheet (“{sheet}”) was read; these others hold something too: {others}." => "Put everybody into the first sheet, and hide or delete sheets that are no part of the export.";
        fr "Seule la première feuille («\u{a0}{sheet}\u{a0}») de ce classeur a été lue\u{a0}; d’autres contiennent aussi quelque chose\u{a0}: {others}." => "Mettez tout le monde dans la première feuille, et masquez ou supprimez celles qui ne font pas partie de l’export.";
        de "Von dieser Arbeitsmappe wurde nur das erste Blatt („{sheet}“) gelesen; auch in diesen steht etwas: {others}." => "Führen Sie alle Personen im ersten Blatt auf, und blenden Sie Blätter aus, die nicht zum Export gehören, oder löschen Sie sie.";
    R104 "merged" Warning Applied each [("lines", "2, 9")]
        en "Cells are merged over several rows (from line {lines} on): their value counts for the first of these rows only, and is blank in the others." => "Unmerge the cells and fill in every row, or export the list from payroll as CSV.";
        fr "Des cellules sont fusionnées sur plusieurs lignes (à partir de la ligne {lines})\u{a0}: leur valeur ne compte que pour la première, elle est vide pour les autres." => "Défusionnez les cellules et remplissez chaque ligne, ou exportez la liste au format CSV depuis le logiciel de paie.";
        de "Zellen sind über mehrere Zeilen verbunden (ab Zeile {lines}): Ihr Wert zählt nur für die erste davon, in den anderen ist er leer." => "Heben Sie die Verbindung auf und füllen Sie jede Zeile aus, oder exportieren Sie die Liste aus dem Lohnprogramm als CSV.";
    R104 "" Info LineLeftOut each [("text", "…")]
        en "A line that is not a row was left out: “{text}”." => "";
        fr "Une ligne qui n’est pas une ligne de données a été laissée de côté\u{a0}: «\u{a0}{text}\u{a0}»." => "";
        de "Eine Zeile ohne Daten wurde übergangen: „{text}“." => "";
    V301 "" Error RowRefused each [("field", "contract_start")]
        en "“{field}” is blank, and a new person cannot be created without it." => "Fill the value in payroll.";
        fr "«\u{a0}{field}\u{a0}» est vide\u{a0}; une nouvelle personne ne peut pas être créée sans cette valeur." => "Complétez la valeur dans le logiciel de paie.";
        de "„{field}“ ist leer; ohne diesen Wert kann keine neue Person angelegt werden." => "Ergänzen Sie den Wert im Lohnprogramm.";
    V301 "no_column" Error RowRefused grouped [("field", "contract_start")]
        en "This person is new, and the file has no column for “{field}”, which a new person needs." => "Add the column, or create the person with a full file first.";
        fr "Cette personne est nouvelle et le fichier n’a pas de colonne «\u{a0}{field}\u{a0}», obligatoire pour une création." => "Ajoutez la colonne, ou créez d’abord la personne avec un fichier complet.";
        de "Diese Person ist neu, und die Datei hat keine Spalte für „{field}“, die für eine neue Person nötig ist." => "Ergänzen Sie die Spalte, oder legen Sie die Person zuerst mit einer vollständigen Datei an.";
    V301 "key" Error RowRefused each [("field", "employee_number")]
        en "“{field}” is blank, so nobody can tell who this row is." => "Fill the value in payroll.";
        fr "«\u{a0}{field}\u{a0}» est vide\u{a0}: impossible de savoir de qui parle cette ligne." => "Complétez la valeur dans le logiciel de paie.";
        de "„{field}“ ist leer; so lässt sich nicht sagen, um wen es in dieser Zeile geht." => "Ergänzen Sie den Wert im Lohnprogramm.";
    V301 "kept" Field CellRefused each [("field", "last_name")]
        en "“{field}” is blank, but nobody can be without it; the old value stays." => "Fill the value in payroll.";
        fr "«\u{a0}{field}\u{a0}» est vide alors que cette valeur est obligatoire\u{a0}; l’ancienne valeur est conservée." => "Complétez la valeur dans le logiciel de paie.";
        de "„{field}“ ist leer, ist aber Pflicht; der alte Wert bleibt." => "Ergänzen Sie den Wert im Lohnprogramm.";
    V302 "" Field CellRefused each [("column", "dtContractStart"), ("value", "demnächst")]
        en "{column} is “{value}”: this is not a date." => "Write a date such as 2026-12-31 or 31/12/2026.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: ce n’est pas une date." => "Indiquez une date, par exemple 31/12/2026 ou 2026-12-31.";
        de "{column} enthält „{value}“: Das ist kein Datum." => "Geben Sie ein Datum an, zum Beispiel 31.12.2026 oder 2026-12-31.";
    V302 "excel_serial" Field CellRefused each [("column", "dtContractStart"), ("value", "46022"), ("would_be", "2025-12-31")]
        en "{column} is “{value}”: a spreadsheet has turned the date into a number." => "Format the column as a date in the spreadsheet and save the file again.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: un tableur a transformé la date en nombre." => "Mettez la colonne au format date dans le tableur et enregistrez de nouveau le fichier.";
        de "{column} enthält „{value}“: Eine Tabellenkalkulation hat das Datum in eine Zahl verwandelt." => "Formatieren Sie die Spalte in der Tabellenkalkulation als Datum und speichern Sie die Datei erneut.";
    V302 "column_too_narrow" Field CellRefused each [("column", "dtContractStart"), ("value", "########")]
        en "{column} is “{value}”: the column was too narrow in the spreadsheet, so the date was lost when the file was saved." => "Widen the column and save the file again, or export it from payroll again.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: la colonne était trop étroite dans le tableur et la date a été perdue à l’enregistrement." => "Élargissez la colonne et enregistrez de nouveau le fichier, ou refaites l’export depuis le logiciel de paie.";
        de "{column} enthält „{value}“: Die Spalte war in der Tabellenkalkulation zu schmal, beim Speichern ging das Datum verloren." => "Verbreitern Sie die Spalte und speichern Sie die Datei erneut, oder exportieren Sie sie neu aus dem Lohnprogramm.";
    V302 "spreadsheet_error" Field CellRefused each [("column", "dtContractStart"), ("value", "#REF!")]
        en "{column} is “{value}”: this is a spreadsheet’s error, not a date." => "Correct the formula in the spreadsheet, or export the file from payroll again.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: c’est une erreur de tableur, pas une date." => "Corrigez la formule dans le tableur, ou refaites l’export depuis le logiciel de paie.";
        de "{column} enthält „{value}“: Das ist ein Fehlerwert einer Tabellenkalkulation, kein Datum." => "Korrigieren Sie die Formel in der Tabellenkalkulation, oder exportieren Sie die Datei neu aus dem Lohnprogramm.";
    V303 "" Field CellRefused each [("column", "dtContractStart"), ("value", "03/04/2026"), ("dmy", "2026-04-03"), ("mdy", "2026-03-04")]
        en "{column} is “{value}”: this could be {dmy} or {mdy}, and no other date in the file settles it." => "Write dates as 2026-04-03 (year-month-day), or have the operator set the date order of this folder.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: cela peut être {dmy} ou {mdy}, et aucune autre date du fichier ne permet de trancher." => "Écrivez les dates sous la forme 2026-04-03 (année-mois-jour), ou faites régler l’ordre des dates de ce dossier par l’exploitant.";
        de "{column} enthält „{value}“: Das kann {dmy} oder {mdy} sein, und kein anderes Datum der Datei entscheidet es." => "Schreiben Sie Daten als 2026-04-03 (Jahr-Monat-Tag), oder lassen Sie den Betreiber die Datumsreihenfolge dieses Ordners einstellen.";
    V303 "never" Field CellRefused each [("column", "dtContractEnd"), ("value", "31/12/99")]
        en "{column} is “{value}”: with two digits, this year may be long ago, or be cut from a date that stands for “no end” (31/12/9999)." => "Write the year with four digits (format the column as a date with four digits before you save), or leave the cell blank for no end.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: avec deux chiffres, cette année peut être lointaine, ou provenir d’une date qui signifie «\u{a0}sans fin\u{a0}» (31/12/9999)." => "Écrivez l’année sur quatre chiffres (mettez la colonne au format JJ/MM/AAAA avant d’enregistrer), ou laissez la cellule vide s’il n’y a pas de fin.";
        de "{column} enthält „{value}“: Mit zwei Ziffern kann das Jahr weit zurückliegen oder von einem Datum stammen, das „kein Ende“ bedeutet (31.12.9999)." => "Schreiben Sie das Jahr mit vier Ziffern (Spalte vor dem Speichern als TT.MM.JJJJ formatieren), oder lassen Sie die Zelle leer, wenn es kein Ende gibt.";
    V303 "frozen" Fatal FileRefused each [("column", "dtContractStart"), ("value", "12/31/2026"), ("order", "dmy")]
        en "{column} is “{value}”: the dates of this file stand in another order than those of the files before ({order}), so none of them can be trusted." => "Export the dates in the usual order; if the order has changed for good, ask the operator to set it (dates).";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: les dates de ce fichier sont dans un autre ordre que celles des fichiers précédents ({order})\u{a0}; aucune n’est fiable." => "Exportez les dates dans l’ordre habituel\u{a0}; si l’ordre a changé définitivement, demandez à l’exploitant de le régler (dates).";
        de "{column} enthält „{value}“: Die Daten dieser Datei stehen in einer anderen Reihenfolge als in den Dateien davor ({order}); keinem ist zu trauen." => "Exportieren Sie die Daten in der üblichen Reihenfolge; hat sie sich dauerhaft geändert, bitten Sie den Betreiber, sie einzustellen (dates).";
    V303 "set" Fatal FileRefused each [("column", "dtContractStart"), ("value", "12/31/2026"), ("order", "dmy")]
        en "{column} is “{value}”: the dates of this file stand in another order than the settings of this folder say ({order})." => "Export the dates in that order, or ask the operator to change the setting (dates).";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: les dates de ce fichier sont dans un autre ordre que celui réglé pour ce dossier ({order})." => "Exportez les dates dans cet ordre, ou demandez à l’exploitant de modifier le réglage (dates).";
        de "{column} enthält „{value}“: Die Daten dieser Datei stehen in einer anderen Reihenfolge, als für diesen Ordner eingestellt ist ({order})." => "Exportieren Sie die Daten in dieser Reihenfolge, oder bitten Sie den Betreiber, die Einstellung zu ändern (dates).";
    V304 "" Field CellRefused each [("column", "dtContractStart"), ("value", "01/01/1066"), ("from_date", "1900-01-01"), ("to_date", "2036-11-21")]
        en "{column} is “{value}”: this field takes dates from {from_date} to {to_date}." => "Correct the year in payroll.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: ce champ accepte les dates du {from_date} au {to_date}." => "Corrigez l’année dans le logiciel de paie.";
        de "{column} enthält „{value}“: Dieses Feld nimmt Daten vom {from_date} bis zum {to_date} an." => "Korrigieren Sie das Jahr im Lohnprogramm.";
    V304 "number" Field CellRefused each [("column", "fte"), ("value", "180")]
        en "{column} is “{value}”: this lies outside what the field can be." => "Correct the value in payroll.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: cette valeur sort des limites du champ." => "Corrigez la valeur dans le logiciel de paie.";
        de "{column} enthält „{value}“: Das liegt außerhalb dessen, was das Feld annehmen kann." => "Korrigieren Sie den Wert im Lohnprogramm.";
    V305 "" Field CellRefused each [("column", "dtContractStart"), ("value", "31/02/2026")]
        en "{column} is “{value}”: this date does not exist." => "Correct the date in payroll.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: cette date n’existe pas." => "Corrigez la date dans le logiciel de paie.";
        de "{column} enthält „{value}“: Dieses Datum gibt es nicht." => "Korrigieren Sie das Datum im Lohnprogramm.";
    V306 "" Field CellRefused each [("column", "mail"), ("value", "anne.dupont(at)example.org")]
        en "{column} is “{value}”: this is not an e-mail address." => "Write one address, without spaces or accents, such as anne.dupont@example.org.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: ce n’est pas une adresse e-mail." => "Indiquez une seule adresse, sans espace ni accent, par exemple anne.dupont@example.org.";
        de "{column} enthält „{value}“: Das ist keine E-Mail-Adresse." => "Geben Sie genau eine Adresse ohne Leerzeichen und Umlaute an, zum Beispiel anne.dupont@example.org.";
    V307 "" Field CellRefused each [("column", "culture"), ("value", "klingon"), ("allowed", "fr-FR, de-DE, en-US")]
        en "{column} is “{value}”: possible are {allowed}." => "Write one of these values.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: les valeurs possibles sont {allowed}." => "Indiquez l’une de ces valeurs.";
        de "{column} enthält „{value}“: Möglich sind {allowed}." => "Geben Sie einen dieser Werte an.";
    V308 "" Field CellRefused each [("column", "jobTitle"), ("limit", "255"), ("length", "812")]
        en "{column} has {length} characters; at most {limit} are possible." => "Shorten the text, or look for a quotation mark that is missing.";
        fr "{column} fait {length} caractères\u{a0}; le maximum est {limit}." => "Raccourcissez le texte, ou cherchez un guillemet manquant.";
        de "{column} hat {length} Zeichen; möglich sind höchstens {limit}." => "Kürzen Sie den Text, oder suchen Sie ein fehlendes Anführungszeichen.";
    V309 "" Field CellRefused each [("column", "ID number"), ("value", "1,23E+05")]
        en "{column} is “{value}”: a spreadsheet has damaged this value." => "Format the column as text before you open or save the file in a spreadsheet, or send the payroll export untouched.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: un tableur a abîmé cette valeur." => "Mettez la colonne au format texte avant d’ouvrir ou d’enregistrer le fichier dans un tableur, ou envoyez l’export de paie sans l’ouvrir.";
        de "{column} enthält „{value}“: Eine Tabellenkalkulation hat diesen Wert beschädigt." => "Formatieren Sie die Spalte als Text, bevor Sie die Datei in einer Tabellenkalkulation öffnen oder speichern, oder senden Sie den Export unverändert.";
    V309 "zeros" Error RowRefused grouped [("column", "ID number"), ("number", "123"), ("known", "00123"), ("user", "DUPONT Anne")]
        en "{column} is “{number}”, but the directory has “{known}” ({user}): a spreadsheet has probably taken away the zeros in front." => "Format the column as text before you open or save the file in a spreadsheet, or send the payroll export untouched.";
        fr "{column} contient «\u{a0}{number}\u{a0}», mais l’annuaire connaît «\u{a0}{known}\u{a0}» ({user})\u{a0}: un tableur a sans doute supprimé les zéros de tête." => "Mettez la colonne au format texte avant d’ouvrir ou d’enregistrer le fichier dans un tableur, ou envoyez l’export de paie sans l’ouvrir.";
        de "{column} enthält „{number}“, das Verzeichnis kennt aber „{known}“ ({user}): Vermutlich hat eine Tabellenkalkulation die führenden Nullen entfernt." => "Formatieren Sie die Spalte als Text, bevor Sie die Datei in einer Tabellenkalkulation öffnen oder speichern, oder senden Sie den Export unverändert.";
    V309 "zeros_in_file" Error RowRefused grouped [("column", "ID number"), ("number", "123"), ("known", "00123"), ("user", "DUPONT Anne")]
        en "{column} is “{number}”, and the file has “{known}” ({user}) too: a spreadsheet has probably taken away the zeros in front." => "Format the column as text before you open or save the file in a spreadsheet, or send the payroll export untouched.";
        fr "{column} contient «\u{a0}{number}\u{a0}» et le fichier contient aussi «\u{a0}{known}\u{a0}» ({user})\u{a0}: un tableur a sans doute supprimé les zéros de tête." => "Mettez la colonne au format texte avant d’ouvrir ou d’enregistrer le fichier dans un tableur, ou envoyez l’export de paie sans l’ouvrir.";
        de "{column} enthält „{number}“, und die Datei enthält auch „{known}“ ({user}): Vermutlich hat eine Tabellenkalkulation die führenden Nullen entfernt." => "Formatieren Sie die Spalte als Text, bevor Sie die Datei in einer Tabellenkalkulation öffnen oder speichern, oder senden Sie den Export unverändert.";
    V309 "day_month" Field CellRefused grouped [("column", "hire date"), ("value", "2003-05-01")]
        en "{column} is “{value}”: a spreadsheet has probably swapped day and month, for in this column all such dates have a day up to 12, and all others are written in another way." => "Send the payroll export without opening it in a spreadsheet, or export all dates in one way.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: un tableur a sans doute interverti le jour et le mois, car dans cette colonne toutes les dates de cette forme ont un jour jusqu’à 12 et toutes les autres sont écrites autrement." => "Envoyez l’export de paie sans l’ouvrir dans un tableur, ou exportez toutes les dates sous une seule forme.";
        de "{column} enthält „{value}“: Eine Tabellenkalkulation hat vermutlich Tag und Monat vertauscht, denn in dieser Spalte haben alle so geschriebenen Daten einen Tag bis 12, und alle anderen sind anders geschrieben." => "Senden Sie den Export, ohne ihn in einer Tabellenkalkulation zu öffnen, oder exportieren Sie alle Daten in einer Schreibweise.";
    V309 "letters" Field CellRefused grouped [("column", "first name"), ("value", "H?l?ne")]
        en "{column} is “{value}”: letters with accents were lost before the file came here; they cannot be recovered from it." => "Have the payroll export written in UTF-8 or Windows-1252 and sent untouched.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: des lettres accentuées ont été perdues avant l’arrivée du fichier\u{a0}; elles ne peuvent pas en être retrouvées." => "Faites produire l’export de paie en UTF-8 ou Windows-1252 et envoyez-le tel quel.";
        de "{column} enthält „{value}“: Buchstaben mit Akzenten oder Umlaute sind verloren gegangen, bevor die Datei hier ankam; aus ihr lassen sie sich nicht wiederherstellen." => "Lassen Sie den Export in UTF-8 oder Windows-1252 schreiben und unverändert senden.";
    V309 "coded" Field CellRefused grouped [("column", "first name"), ("value", "H&eacute;l&egrave;ne")]
        en "{column} is “{value}”: a program wrote codes (of HTML, of web addresses, of JSON) in place of letters or signs." => "Have the payroll export written as plain text in UTF-8, without such codes.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: un programme a écrit des codes (HTML, adresses web, JSON) à la place de lettres ou de signes." => "Faites produire l’export de paie en texte simple, en UTF-8, sans ces codes.";
        de "{column} enthält „{value}“: Ein Programm hat Codes (HTML, Webadressen, JSON) statt der Buchstaben oder Zeichen geschrieben." => "Lassen Sie den Export als einfachen Text in UTF-8 schreiben, ohne solche Codes.";
    V309 "manager_zeros" Field CellRefused grouped [("column", "manager"), ("value", "123"), ("known", "00123"), ("user", "DUPONT Anne")]
        en "{column} is “{value}”, but the directory has “{known}” ({user}): a spreadsheet has probably taken away the zeros in front." => "Format the column as text before you open or save the file in a spreadsheet, or send the payroll export untouched.";
        fr "{column} contient «\u{a0}{value}\u{a0}», mais l’annuaire connaît «\u{a0}{known}\u{a0}» ({user})\u{a0}: un tableur a sans doute supprimé les zéros de tête." => "Mettez la colonne au format texte avant d’ouvrir ou d’enregistrer le fichier dans un tableur, ou envoyez l’export de paie sans l’ouvrir.";
        de "{column} enthält „{value}“, das Verzeichnis kennt aber „{known}“ ({user}): Vermutlich hat eine Tabellenkalkulation die führenden Nullen entfernt." => "Formatieren Sie die Spalte als Text, bevor Sie die Datei in einer Tabellenkalkulation öffnen oder speichern, oder senden Sie den Export unverändert.";
    V309 "manager_zeros_in_file" Field CellRefused grouped [("column", "manager"), ("value", "123"), ("known", "00123"), ("user", "DUPONT Anne")]
        en "{column} is “{value}”, but the file has “{known}” ({user}): a spreadsheet has probably taken away the zeros in front." => "Format the column as text before you open or save the file in a spreadsheet, or send the payroll export untouched.";
        fr "{column} contient «\u{a0}{value}\u{a0}», mais le fichier contient «\u{a0}{known}\u{a0}» ({user})\u{a0}: un tableur a sans doute supprimé les zéros de tête." => "Mettez la colonne au format texte avant d’ouvrir ou d’enregistrer le fichier dans un tableur, ou envoyez l’export de paie sans l’ouvrir.";
        de "{column} enthält „{value}“, die Datei enthält aber „{known}“ ({user}): Vermutlich hat eine Tabellenkalkulation die führenden Nullen entfernt." => "Formatieren Sie die Spalte als Text, bevor Sie die Datei in einer Tabellenkalkulation öffnen oder speichern, oder senden Sie den Export unverändert.";
    V310 "" Info AppliedChanged each [("field", "culture"), ("default", "fr-FR")]
        en "“{field}” was not given; the default “{default}” was taken." => "";
        fr "«\u{a0}{field}\u{a0}» n’était pas renseigné\u{a0}; la valeur par défaut «\u{a0}{default}\u{a0}» a été prise." => "";
        de "„{field}“ war nicht angegeben; der Standardwert „{default}“ wurde genommen." => "";
    V310 "login" Info AppliedChanged each [("person", "DUPONT Anne"), ("login", "anne.dupont")]
        en "{person} had no login; “{login}” was made from the pattern of this folder." => "";
        fr "{person} n’avait pas d’identifiant\u{a0}; «\u{a0}{login}\u{a0}» a été formé selon le modèle de ce dossier." => "";
        de "{person} hatte keinen Benutzernamen; „{login}“ wurde nach dem Muster dieses Ordners gebildet." => "";
    V310 "no_login" Warning Told each [("person", "ΔΗΜΗΤΡΙΟΥ Ελένη")]
        en "{person} has no login, and none could be made from the name, for it has no Latin letters." => "Give the login in the file.";
        fr "{person} n’a pas d’identifiant et aucun n’a pu être formé, le nom n’ayant pas de lettres latines." => "Indiquez l’identifiant dans le fichier.";
        de "{person} hat keinen Benutzernamen, und aus dem Namen ließ sich keiner bilden, denn er hat keine lateinischen Buchstaben." => "Geben Sie den Benutzernamen in der Datei an.";
    V311 "" Info AppliedChanged each [("column", "department"), ("from", "COMPTA"), ("to", "Accounting")]
        en "{column}: “{from}” was replaced by “{to}”, as the settings of this folder say." => "";
        fr "{column}\u{a0}: «\u{a0}{from}\u{a0}» a été remplacé par «\u{a0}{to}\u{a0}», selon les réglages de ce dossier." => "";
        de "{column}: „{from}“ wurde nach den Einstellungen dieses Ordners durch „{to}“ ersetzt." => "";
    V311 "list" Info AppliedChanged each [("column", "department"), ("field", "department"), ("from", "Accounting"), ("to", "10")]
        en "{column}: “{from}” stands for “{to}” in the list “{field}”." => "";
        fr "{column}\u{a0}: «\u{a0}{from}\u{a0}» correspond à «\u{a0}{to}\u{a0}» dans la liste «\u{a0}{field}\u{a0}»." => "";
        de "{column}: „{from}“ steht in der Liste „{field}“ für „{to}“." => "";
    V312 "left" Warning Told each [("value", "actif"), ("end_date", "2026-06-30")]
        en "The status is “{value}”, but the contract ended on {end_date}; the dates decide." => "Correct the status or the end of the contract in payroll.";
        fr "Le statut est «\u{a0}{value}\u{a0}», mais le contrat s’est terminé le {end_date}\u{a0}; ce sont les dates qui comptent." => "Corrigez le statut ou la fin de contrat dans le logiciel de paie.";
        de "Der Status ist „{value}“, der Vertrag endete aber am {end_date}; die Daten entscheiden." => "Korrigieren Sie den Status oder das Vertragsende im Lohnprogramm.";
    V312 "here" Warning Told each [("value", "parti")]
        en "The status is “{value}”, but the contract has not ended by its dates; the dates decide." => "If the person has left, fill the end of the contract in payroll.";
        fr "Le statut est «\u{a0}{value}\u{a0}», mais d’après les dates le contrat n’est pas terminé\u{a0}; ce sont les dates qui comptent." => "Si la personne est partie, renseignez la fin de contrat dans le logiciel de paie.";
        de "Der Status ist „{value}“, nach den Daten ist der Vertrag aber nicht beendet; die Daten entscheiden." => "Ist die Person ausgetreten, tragen Sie das Vertragsende im Lohnprogramm ein.";
    V313 "" Field CellRefused each [("column", "weekly_hours"), ("value", "full-time")]
        en "{column} is “{value}”: this is not a number that this field can have." => "Write a number without sign, unit or thousands separator, such as 37.5.";
        fr "{column} contient «\u{a0}{value}\u{a0}»\u{a0}: ce n’est pas un nombre que ce champ accepte." => "Indiquez un nombre sans signe, unité ni séparateur de milliers, par exemple 37,5.";
        de "{column} enthält „{value}“: Das ist keine Zahl, die dieses Feld haben kann." => "Geben Sie eine Zahl ohne Vorzeichen, Einheit und Tausendertrennzeichen an, zum Beispiel 37,5.";
};
