//! The texts about the file as a whole: F and H codes.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    F001 "" Fatal FileRefused each []
        en "The file is empty." => "Run the export in payroll again and send the file once more.";
        fr "Le fichier est vide." => "Relancez l’export dans le logiciel de paie et renvoyez le fichier.";
        de "Die Datei ist leer." => "Starten Sie den Export im Lohnprogramm erneut und senden Sie die Datei noch einmal.";
    F002 "" Fatal FileRefused each [("line", "1")]
        en "The file has a header line (line {line}) but not a single row below it." => "Check in payroll that the export selects employees, then send the file once more.";
        fr "Le fichier contient une ligne d’en-tête (ligne {line}), mais aucune ligne de données." => "Vérifiez dans le logiciel de paie que l’export sélectionne des salariés, puis renvoyez le fichier.";
        de "Die Datei hat eine Kopfzeile (Zeile {line}), aber keine einzige Datenzeile darunter." => "Prüfen Sie im Lohnprogramm, ob der Export Personen auswählt, und senden Sie die Datei noch einmal.";
    F003 "" Fatal FileRefused each [("found", "pdf")]
        en "This is not a CSV table; the content looks like: {found}." => "Export the employees as CSV (text with separators) and send that file.";
        fr "Ce n’est pas un tableau CSV\u{a0}; le contenu ressemble à\u{a0}: {found}." => "Exportez les salariés au format CSV (texte avec séparateurs) et envoyez ce fichier.";
        de "Das ist keine CSV-Tabelle; der Inhalt sieht aus wie: {found}." => "Exportieren Sie die Personen als CSV (Text mit Trennzeichen) und senden Sie diese Datei.";
    F003 "xls" Fatal FileRefused each [("found", "xls")]
        en "This is a spreadsheet of a kind that is not read ({found}), whatever its name says; .xlsx is read." => "Open it in Excel, choose “Save as” and the type “Excel Workbook (.xlsx)” or “CSV UTF-8”, and send that file.";
        fr "C’est un classeur d’un format qui n’est pas lu ({found}), quel que soit son nom\u{a0}; le format .xlsx est lu." => "Ouvrez-le dans Excel, choisissez «\u{a0}Enregistrer sous\u{a0}» et le type «\u{a0}Classeur Excel (.xlsx)\u{a0}» ou «\u{a0}CSV UTF-8\u{a0}», puis envoyez ce fichier.";
        de "Das ist eine Arbeitsmappe in einem Format, das nicht gelesen wird ({found}), auch wenn der Name anders lautet; .xlsx wird gelesen." => "Öffnen Sie sie in Excel, wählen Sie „Speichern unter“ und den Dateityp „Excel-Arbeitsmappe (.xlsx)“ oder „CSV UTF-8“ und senden Sie diese Datei.";
    F003 "no_sheet" Fatal FileRefused each []
        en "The workbook has no visible worksheet." => "Put the table on the first sheet of the workbook, and show that sheet.";
        fr "Le classeur ne contient aucune feuille visible." => "Placez le tableau sur la première feuille du classeur et affichez cette feuille.";
        de "Die Arbeitsmappe hat kein sichtbares Tabellenblatt." => "Stellen Sie die Tabelle auf das erste Blatt der Mappe und blenden Sie es ein.";
    F003 "encrypted" Fatal FileRefused each []
        en "The file is protected with a password and cannot be opened." => "Save it without a password; the connection over which it is sent is encrypted already.";
        fr "Le fichier est protégé par un mot de passe et ne peut pas être ouvert." => "Enregistrez-le sans mot de passe\u{a0}; la connexion par laquelle il est envoyé est déjà chiffrée.";
        de "Die Datei ist mit einem Kennwort geschützt und lässt sich nicht öffnen." => "Speichern Sie sie ohne Kennwort; die Verbindung, über die sie gesendet wird, ist bereits verschlüsselt.";
    F003 "zip" Fatal FileRefused each [("found", "rar")]
        en "This is an archive of a kind that is not opened ({found})." => "Send the CSV file itself, or packed as zip or gzip.";
        fr "C’est une archive d’un format qui n’est pas ouvert ({found})." => "Envoyez le fichier CSV lui-même, ou compressé au format zip ou gzip.";
        de "Das ist ein Archiv in einem Format, das nicht geöffnet wird ({found})." => "Senden Sie die CSV-Datei selbst oder als zip oder gzip gepackt.";
    F003 "zip_several" Fatal FileRefused each [("count", "2"), ("entries", "janvier.csv, fevrier.csv")]
        en "The archive holds {count} files ({entries}); which of them is meant cannot be told." => "Pack only the one CSV file, or send it as it is.";
        fr "L’archive contient {count} fichiers ({entries})\u{a0}; impossible de savoir lequel est le bon." => "Ne compressez que le fichier CSV voulu, ou envoyez-le tel quel.";
        de "Das Archiv enthält {count} Dateien ({entries}); welche gemeint ist, lässt sich nicht sagen." => "Packen Sie nur die eine CSV-Datei, oder senden Sie sie ungepackt.";
    F003 "zip_empty" Fatal FileRefused each []
        en "The archive holds no file." => "Pack the CSV file again, or send it as it is.";
        fr "L’archive ne contient aucun fichier." => "Compressez de nouveau le fichier CSV, ou envoyez-le tel quel.";
        de "Das Archiv enthält keine Datei." => "Packen Sie die CSV-Datei erneut, oder senden Sie sie ungepackt.";
    F003 "zip_method" Fatal FileRefused each [("entries", "salaries.csv")]
        en "“{entries}” is packed in a way that is not read." => "Pack it as an ordinary zip file (as Windows or macOS does), or send the CSV file as it is.";
        fr "«\u{a0}{entries}\u{a0}» est compressé d’une manière qui n’est pas lue." => "Compressez-le en zip ordinaire (comme le font Windows ou macOS), ou envoyez le fichier CSV tel quel.";
        de "„{entries}“ ist auf eine Weise gepackt, die nicht gelesen wird." => "Packen Sie sie als gewöhnliche Zip-Datei (wie Windows oder macOS es tun), oder senden Sie die CSV-Datei ungepackt.";
    F003 "nested" Fatal FileRefused each [("entries", "zip: a.zip, zip: b.gz")]
        en "The table is packed several times over ({entries})." => "Pack it once at most.";
        fr "Le tableau est compressé plusieurs fois ({entries})." => "Ne le compressez qu’une seule fois.";
        de "Die Tabelle ist mehrfach gepackt ({entries})." => "Packen Sie sie höchstens einmal.";
    F003 "damaged_archive" Fatal FileRefused each [("format", "zip")]
        en "The packed file ({format}) is damaged and cannot be opened." => "Pack it again and send it once more, in binary mode, or send the CSV file as it is.";
        fr "Le fichier compressé ({format}) est endommagé et ne peut pas être ouvert." => "Compressez-le de nouveau et renvoyez-le en mode binaire, ou envoyez le fichier CSV tel quel.";
        de "Die gepackte Datei ({format}) ist beschädigt und lässt sich nicht öffnen." => "Packen Sie sie erneut und senden Sie sie noch einmal, im Binärmodus, oder senden Sie die CSV-Datei ungepackt.";
    F003 "html" Fatal FileRefused each []
        en "This is a web page, not a CSV file: often an error page or a login page that was saved in place of the export." => "Open the file in a browser to see what it says, then run the export again. If you see your employees there, open it in Excel and save it as a workbook (.xlsx) or as “CSV UTF-8”.";
        fr "C’est une page web et non un fichier CSV\u{a0}: souvent une page d’erreur ou de connexion enregistrée à la place de l’export." => "Ouvrez le fichier dans un navigateur pour lire ce qu’il contient, puis relancez l’export. Si vous y voyez vos salariés, ouvrez-le dans Excel et enregistrez-le au format classeur (.xlsx) ou «\u{a0}CSV UTF-8\u{a0}».";
        de "Das ist eine Webseite und keine CSV-Datei: oft eine Fehler- oder Anmeldeseite, die statt des Exports gespeichert wurde." => "Öffnen Sie die Datei im Browser, um zu sehen, was darin steht, und starten Sie den Export erneut. Stehen dort Ihre Mitarbeitenden, öffnen Sie sie in Excel und speichern Sie sie als Arbeitsmappe (.xlsx) oder als „CSV UTF-8“.";
    F003 "text" Fatal FileRefused each []
        en "No columns were found: the lines share no separator (semicolon, comma, tab or vertical bar)." => "Export the employees with a header line and one separator between all columns.";
        fr "Aucune colonne trouvée\u{a0}: les lignes n’ont pas de séparateur commun (point-virgule, virgule, tabulation ou barre verticale)." => "Exportez les salariés avec une ligne d’en-tête et un même séparateur entre toutes les colonnes.";
        de "Es wurden keine Spalten gefunden: Die Zeilen haben kein gemeinsames Trennzeichen (Semikolon, Komma, Tabulator oder senkrechter Strich)." => "Exportieren Sie die Personen mit einer Kopfzeile und einem einheitlichen Trennzeichen zwischen allen Spalten.";
    F003 "sep" Fatal FileRefused each [("received", "sep=#")]
        en "The first line “{received}” declares a separator that is not possible." => "Use a semicolon, comma, tab or vertical bar, or leave the line sep= out.";
        fr "La première ligne «\u{a0}{received}\u{a0}» déclare un séparateur qui n’est pas possible." => "Utilisez un point-virgule, une virgule, une tabulation ou une barre verticale, ou supprimez la ligne sep=.";
        de "Die erste Zeile „{received}“ nennt ein Trennzeichen, das nicht möglich ist." => "Verwenden Sie Semikolon, Komma, Tabulator oder senkrechten Strich, oder lassen Sie die Zeile sep= weg.";
    F003 "header_below_rows" Fatal FileRefused each [("line", "214")]
        en "The header stands on line {line}, with rows above it: the sheet was probably sorted together with its header." => "Move the header line to the top, or export the file from payroll again.";
        fr "L’en-tête se trouve à la ligne {line}, avec des données au-dessus\u{a0}: la feuille a sans doute été triée avec son en-tête." => "Remettez la ligne d’en-tête en haut, ou refaites l’export depuis le logiciel de paie.";
        de "Die Kopfzeile steht in Zeile {line}, darüber stehen Daten: Vermutlich wurde das Blatt samt Kopfzeile sortiert." => "Setzen Sie die Kopfzeile wieder nach oben, oder exportieren Sie die Datei neu aus dem Lohnprogramm.";
    F003 "second_header" Fatal FileRefused each [("line", "214"), ("header_line", "1")]
        en "Line {line} is a second header, with other columns than the one on line {header_line}: two exports were joined in one file." => "Send each export as a file of its own, or export everybody with the same columns.";
        fr "La ligne {line} est un second en-tête, dont les colonnes diffèrent de celles de la ligne {header_line}\u{a0}: deux exports ont été réunis dans un même fichier." => "Envoyez chaque export dans un fichier à part, ou exportez tout le monde avec les mêmes colonnes.";
        de "Zeile {line} ist eine zweite Kopfzeile mit anderen Spalten als die in Zeile {header_line}: Zwei Exporte stehen in einer Datei." => "Senden Sie jeden Export als eigene Datei, oder exportieren Sie alle Personen mit denselben Spalten.";
    F004 "" Fatal FileRefused each [("encoding", "UTF-32")]
        en "The characters of this file cannot be read ({encoding})." => "Export the file as UTF-8 (in Excel: “CSV UTF-8”).";
        fr "Les caractères de ce fichier ne peuvent pas être lus ({encoding})." => "Exportez le fichier en UTF-8 (dans Excel\u{a0}: «\u{a0}CSV UTF-8\u{a0}»).";
        de "Die Zeichen dieser Datei lassen sich nicht lesen ({encoding})." => "Exportieren Sie die Datei als UTF-8 (in Excel: „CSV UTF-8“).";
    F004 "NUL" Fatal FileRefused each [("offset", "812")]
        en "The file holds NUL bytes (the first at byte {offset}); it is damaged or not text." => "Export the file again as UTF-8; if it comes out the same, ask the supplier of the payroll program.";
        fr "Le fichier contient des octets nuls (le premier à l’octet {offset})\u{a0}; il est endommagé ou n’est pas du texte." => "Refaites l’export en UTF-8\u{a0}; si le résultat est le même, adressez-vous à l’éditeur du logiciel de paie.";
        de "Die Datei enthält NUL-Bytes (das erste bei Byte {offset}); sie ist beschädigt oder kein Text." => "Exportieren Sie die Datei erneut als UTF-8; bleibt es dabei, wenden Sie sich an den Hersteller des Lohnprogramms.";
    F004 "bytes" Fatal FileRefused each [("encoding", "UTF-8"), ("offset", "812")]
        en "The file says that it is {encoding}, but from byte {offset} it is not." => "Export the file again as UTF-8, and do not join files of different origin.";
        fr "Le fichier se déclare en {encoding}, mais il ne l’est plus à partir de l’octet {offset}." => "Refaites l’export en UTF-8 et n’assemblez pas de fichiers d’origines différentes.";
        de "Die Datei gibt sich als {encoding} aus, ist es ab Byte {offset} aber nicht." => "Exportieren Sie die Datei erneut als UTF-8 und fügen Sie keine Dateien verschiedener Herkunft zusammen.";
    F004 "joined" Fatal FileRefused each [("text_line", "214")]
        en "The file is written in two encodings: a part of it is UTF-8, another part, from line {text_line} of the text on, is not. Two files were probably joined." => "Export everything as UTF-8 in one go, and do not join files of different origin.";
        fr "Le fichier mélange deux codages\u{a0}: une partie est en UTF-8, une autre, à partir de la ligne {text_line} du texte, ne l’est pas. Deux fichiers ont sans doute été assemblés." => "Exportez le tout en UTF-8 en une seule fois et n’assemblez pas de fichiers d’origines différentes.";
        de "Die Datei ist in zwei Kodierungen geschrieben: Ein Teil ist UTF-8, ein anderer, ab Zeile {text_line} des Textes, nicht. Vermutlich wurden zwei Dateien zusammengefügt." => "Exportieren Sie alles in einem Zug als UTF-8 und fügen Sie keine Dateien verschiedener Herkunft zusammen.";
    F004 "ebcdic" Fatal FileRefused each []
        en "The file is written in EBCDIC, the code of mainframes." => "Transfer it from the mainframe in text mode, or have it converted to UTF-8 there.";
        fr "Le fichier est écrit en EBCDIC, le code des grands systèmes." => "Transférez-le depuis le grand système en mode texte, ou faites-le convertir en UTF-8 sur place.";
        de "Die Datei ist in EBCDIC geschrieben, dem Code von Großrechnern." => "Übertragen Sie sie vom Großrechner im Textmodus, oder lassen Sie sie dort in UTF-8 umwandeln.";
    F004 "letters" Fatal FileRefused each []
        en "The file does not say how its letters are encoded, and with none of the usual codes do they make words." => "Export the file as UTF-8 (in Excel: “CSV UTF-8”), which old DOS programs need most, or have the operator set the encoding of this folder.";
        fr "Le fichier n’indique pas le codage de ses lettres, et aucun des codages usuels n’en fait des mots." => "Exportez le fichier en UTF-8 (dans Excel\u{a0}: «\u{a0}CSV UTF-8\u{a0}»), surtout nécessaire avec les anciens logiciels DOS, ou faites régler le codage de ce dossier par l’exploitant.";
        de "Die Datei sagt nicht, wie ihre Buchstaben kodiert sind, und in keiner der üblichen Kodierungen ergeben sie Wörter." => "Exportieren Sie die Datei als UTF-8 (in Excel: „CSV UTF-8“; vor allem bei alten DOS-Programmen nötig), oder lassen Sie die Kodierung dieses Ordners vom Betreiber einstellen.";
    F004 "script" Fatal FileRefused each []
        en "The letters of this file are of another script (Greek, Cyrillic …), and the file does not say how they are encoded." => "Export the file as UTF-8 (in Excel: “CSV UTF-8”), or have the operator set the encoding of this folder.";
        fr "Les lettres de ce fichier appartiennent à un autre alphabet (grec, cyrillique…), et le fichier n’indique pas leur codage." => "Exportez le fichier en UTF-8 (dans Excel\u{a0}: «\u{a0}CSV UTF-8\u{a0}»), ou faites régler le codage de ce dossier par l’exploitant.";
        de "Die Buchstaben dieser Datei gehören zu einer anderen Schrift (Griechisch, Kyrillisch …), und die Datei nennt ihre Kodierung nicht." => "Exportieren Sie die Datei als UTF-8 (in Excel: „CSV UTF-8“), oder lassen Sie die Kodierung dieses Ordners vom Betreiber einstellen.";
    F004 "control" Fatal FileRefused each [("offset", "812")]
        en "The file holds control characters (the first at byte {offset}) that no table of text has." => "Export the file again as UTF-8.";
        fr "Le fichier contient des caractères de contrôle (le premier à l’octet {offset}) qu’un tableau de texte ne contient jamais." => "Refaites l’export en UTF-8.";
        de "Die Datei enthält Steuerzeichen (das erste bei Byte {offset}), die in keiner Texttabelle stehen." => "Exportieren Sie die Datei erneut als UTF-8.";
    F005 "" Fatal FileRefused each []
        en "The file ends in the middle; it was probably cut off while it was sent." => "Send the whole file again.";
        fr "Le fichier s’arrête au milieu\u{a0}; l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier.";
        de "Die Datei bricht mittendrin ab; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal.";
    F005 "open_quote" Fatal FileRefused each [("line", "412")]
        en "A quotation mark that opens on line {line} is never closed, so the file was probably cut off while it was sent." => "Send the whole file again; if it is whole, correct the quotation mark on that line.";
        fr "Un guillemet ouvert à la ligne {line} n’est jamais refermé\u{a0}: l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier\u{a0}; s’il est complet, corrigez le guillemet de cette ligne.";
        de "Ein Anführungszeichen, das in Zeile {line} beginnt, wird nie geschlossen; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal; ist sie vollständig, korrigieren Sie das Anführungszeichen in dieser Zeile.";
    F005 "cells" Fatal FileRefused each [("line", "412"), ("cells", "7"), ("expected", "11")]
        en "The file ends in the middle of line {line}: it has {cells} of {expected} cells and no line end, so it was probably cut off while it was sent." => "Send the whole file again.";
        fr "Le fichier s’arrête au milieu de la ligne {line}\u{a0}: elle a {cells} cellules sur {expected} et pas de fin de ligne\u{a0}; l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier.";
        de "Die Datei bricht mitten in Zeile {line} ab: Sie hat {cells} von {expected} Zellen und kein Zeilenende; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal.";
    F005 "sheet_end" Warning Applied each [("rows", "65536")]
        en "The file ends at row {rows}, the last that a spreadsheet of its kind has: whoever stood below was probably cut off." => "Send the payroll export as it is, without a spreadsheet in between.";
        fr "Le fichier s’arrête à la ligne {rows}, la dernière que compte un tableur de ce type\u{a0}: les personnes suivantes ont sans doute été coupées." => "Envoyez l’export de paie tel quel, sans passer par un tableur.";
        de "Die Datei endet in Zeile {rows}, der letzten, die eine Tabellenkalkulation dieser Art hat: Wer darunter stand, wurde vermutlich abgeschnitten." => "Senden Sie den Lohnexport so, wie er ist, ohne Tabellenkalkulation dazwischen.";
    F005 "half_character" Fatal FileRefused each []
        en "The file ends in the middle of a character; it was probably cut off while it was sent." => "Send the whole file again.";
        fr "Le fichier s’arrête au milieu d’un caractère\u{a0}; l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier.";
        de "Die Datei endet mitten in einem Zeichen; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal.";
    F005 "archive" Fatal FileRefused each []
        en "The packed file ends in the middle; it was probably cut off while it was sent." => "Send the whole file again.";
        fr "Le fichier compressé s’arrête au milieu\u{a0}; l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier.";
        de "Die gepackte Datei bricht mittendrin ab; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal.";
    F005 "encrypted" Fatal FileRefused each []
        en "The encrypted or signed file ends in the middle; it was probably cut off while it was sent." => "Send the whole file again.";
        fr "Le fichier chiffré ou signé s’arrête au milieu\u{a0}; l’envoi a sans doute été interrompu." => "Renvoyez le fichier en entier.";
        de "Die verschlüsselte oder signierte Datei bricht mittendrin ab; vermutlich wurde die Übertragung unterbrochen." => "Senden Sie die ganze Datei noch einmal.";
    F006 "" Fatal FileRefused each [("limit", "1024 MiB")]
        en "The file is larger than this server imports (limit: {limit})." => "Export only the columns that are needed, or ask the operator to raise the limit.";
        fr "Le fichier dépasse la taille que ce serveur importe (limite\u{a0}: {limit})." => "N’exportez que les colonnes utiles, ou demandez à l’exploitant de relever la limite.";
        de "Die Datei ist größer, als dieser Server sie importiert (Grenze: {limit})." => "Exportieren Sie nur die benötigten Spalten, oder bitten Sie den Betreiber, die Grenze anzuheben.";
    F006 "unpacked_bytes" Fatal FileRefused each [("limit", "1024 MiB")]
        en "Unpacked, the file is larger than this server imports (limit: {limit})." => "Export only the columns that are needed, or ask the operator to raise the limit.";
        fr "Une fois décompressé, le fichier dépasse la taille que ce serveur importe (limite\u{a0}: {limit})." => "N’exportez que les colonnes utiles, ou demandez à l’exploitant de relever la limite.";
        de "Entpackt ist die Datei größer, als dieser Server sie importiert (Grenze: {limit})." => "Exportieren Sie nur die benötigten Spalten, oder bitten Sie den Betreiber, die Grenze anzuheben.";
    F006 "ratio" Fatal FileRefused each [("limit", "250")]
        en "The file unpacks to more than {limit} times its size, as no real table does; it was not opened." => "Send the CSV file itself, unpacked.";
        fr "Le fichier décompressé fait plus de {limit} fois sa taille, ce qu’aucun vrai tableau ne fait\u{a0}; il n’a pas été ouvert." => "Envoyez le fichier CSV lui-même, non compressé.";
        de "Entpackt wird die Datei mehr als {limit}-mal so groß, wie es bei keiner echten Tabelle vorkommt; sie wurde nicht geöffnet." => "Senden Sie die CSV-Datei selbst, ungepackt.";
    F006 "columns" Fatal FileRefused each [("limit", "2000")]
        en "The file has more than {limit} columns." => "Check the separator, and export only the columns that are needed.";
        fr "Le fichier a plus de {limit} colonnes." => "Vérifiez le séparateur et n’exportez que les colonnes utiles.";
        de "Die Datei hat mehr als {limit} Spalten." => "Prüfen Sie das Trennzeichen, und exportieren Sie nur die benötigten Spalten.";
    F006 "cell_bytes" Fatal FileRefused each [("limit", "1048576"), ("line", "7")]
        en "A cell has more than {limit} bytes." => "Look for a quotation mark that opens and never closes, or shorten the text.";
        fr "Une cellule fait plus de {limit} octets." => "Cherchez un guillemet ouvert et jamais refermé, ou raccourcissez le texte.";
        de "Eine Zelle hat mehr als {limit} Bytes." => "Suchen Sie ein Anführungszeichen, das nie geschlossen wird, oder kürzen Sie den Text.";
    F007 "" Fatal FileRefused each []
        en "The file cannot be opened." => "Send it again, encrypted as agreed with the operator.";
        fr "Le fichier ne peut pas être ouvert." => "Renvoyez-le, chiffré comme convenu avec l’exploitant.";
        de "Die Datei lässt sich nicht öffnen." => "Senden Sie sie noch einmal, verschlüsselt wie mit dem Betreiber vereinbart.";
    F007 "not_encrypted" Fatal FileRefused each []
        en "The file is not encrypted, but this folder takes only files that are encrypted with OpenPGP (PGP, GnuPG)." => "Encrypt the file with our public key and send it again; the operator has the key.";
        fr "Le fichier n’est pas chiffré, or ce dossier n’accepte que des fichiers chiffrés avec OpenPGP (PGP, GnuPG)." => "Chiffrez le fichier avec notre clé publique et renvoyez-le\u{a0}; l’exploitant fournit cette clé.";
        de "Die Datei ist nicht verschlüsselt; dieser Ordner nimmt aber nur Dateien an, die mit OpenPGP (PGP, GnuPG) verschlüsselt sind." => "Verschlüsseln Sie die Datei mit unserem öffentlichen Schlüssel und senden Sie sie noch einmal; den Schlüssel gibt Ihnen der Betreiber.";
    F007 "not_zip" Fatal FileRefused each []
        en "The file is not an encrypted zip, but this folder takes only zip files with a password (AES)." => "Pack the file as a zip with AES-256 and the agreed password, for example with 7-Zip, and send it again.";
        fr "Le fichier n’est pas un zip chiffré, or ce dossier n’accepte que des fichiers zip protégés par mot de passe (AES)." => "Compressez le fichier en zip avec AES-256 et le mot de passe convenu, par exemple avec 7-Zip, puis renvoyez-le.";
        de "Die Datei ist keine verschlüsselte Zip-Datei; dieser Ordner nimmt aber nur Zip-Dateien mit Kennwort (AES) an." => "Packen Sie die Datei als Zip mit AES-256 und dem vereinbarten Kennwort, zum Beispiel mit 7-Zip, und senden Sie sie noch einmal.";
    F007 "not_for_us" Fatal FileRefused each []
        en "The file is encrypted, but not for our key." => "Encrypt it with our public key; the operator has it and tells its fingerprint by phone.";
        fr "Le fichier est chiffré, mais pas pour notre clé." => "Chiffrez-le avec notre clé publique\u{a0}; l’exploitant la fournit et en confirme l’empreinte par téléphone.";
        de "Die Datei ist verschlüsselt, aber nicht für unseren Schlüssel." => "Verschlüsseln Sie sie mit unserem öffentlichen Schlüssel; der Betreiber gibt ihn heraus und nennt den Fingerabdruck am Telefon.";
    F007 "not_for_us_but" Fatal FileRefused each [("recipients", "5D9B1C2A7E40F311")]
        en "The file is encrypted for another key ({recipients}), not for ours." => "Encrypt it with our current public key; the operator has it and tells its fingerprint by phone.";
        fr "Le fichier est chiffré pour une autre clé ({recipients}), pas pour la nôtre." => "Chiffrez-le avec notre clé publique actuelle\u{a0}; l’exploitant la fournit et en confirme l’empreinte par téléphone.";
        de "Die Datei ist für einen anderen Schlüssel verschlüsselt ({recipients}), nicht für unseren." => "Verschlüsseln Sie sie mit unserem aktuellen öffentlichen Schlüssel; der Betreiber gibt ihn heraus und nennt den Fingerabdruck am Telefon.";
    F007 "password_only" Fatal FileRefused each []
        en "The file is encrypted with a password instead of our key, so it cannot be opened here." => "Encrypt it for our public key (in GnuPG: --encrypt --recipient, not --symmetric).";
        fr "Le fichier est chiffré avec un mot de passe et non avec notre clé\u{a0}; il ne peut donc pas être ouvert ici." => "Chiffrez-le pour notre clé publique (dans GnuPG\u{a0}: --encrypt --recipient, et non --symmetric).";
        de "Die Datei ist mit einem Kennwort statt mit unserem Schlüssel verschlüsselt und lässt sich hier nicht öffnen." => "Verschlüsseln Sie sie für unseren öffentlichen Schlüssel (in GnuPG: --encrypt --recipient, nicht --symmetric).";
    F007 "no_integrity" Fatal FileRefused each []
        en "The file is encrypted in an outdated way that does not show whether somebody changed it; it was not opened." => "Use a current version of the encryption program, without settings for old PGP versions.";
        fr "Le fichier est chiffré d’une manière périmée qui ne permet pas de voir si quelqu’un l’a modifié\u{a0}; il n’a pas été ouvert." => "Utilisez une version actuelle du logiciel de chiffrement, sans options pour d’anciennes versions de PGP.";
        de "Die Datei ist auf eine veraltete Weise verschlüsselt, bei der sich nicht erkennen lässt, ob sie jemand verändert hat; sie wurde nicht geöffnet." => "Verwenden Sie eine aktuelle Version des Verschlüsselungsprogramms, ohne Optionen für alte PGP-Versionen.";
    F007 "damaged" Fatal FileRefused each []
        en "The encrypted or signed file is damaged: it is not what was encrypted." => "Send it once more in binary mode; if that does not help, encrypt it again.";
        fr "Le fichier chiffré ou signé est endommagé\u{a0}: ce n’est pas celui qui a été chiffré." => "Renvoyez-le en mode binaire\u{a0}; si cela ne suffit pas, chiffrez-le de nouveau.";
        de "Die verschlüsselte oder signierte Datei ist beschädigt: Sie ist nicht, was verschlüsselt wurde." => "Senden Sie sie noch einmal im Binärmodus; hilft das nicht, verschlüsseln Sie sie neu.";
    F007 "several" Fatal FileRefused each []
        en "The file holds several encrypted or signed messages one after the other; which of them is meant cannot be told." => "Send each table in a file of its own.";
        fr "Le fichier contient plusieurs messages chiffrés ou signés à la suite\u{a0}; impossible de savoir lequel est le bon." => "Envoyez chaque tableau dans son propre fichier.";
        de "Die Datei enthält mehrere verschlüsselte oder signierte Nachrichten hintereinander; welche gemeint ist, lässt sich nicht sagen." => "Senden Sie jede Tabelle in einer eigenen Datei.";
    F007 "unsupported" Fatal FileRefused each [("received", "cipher Private10")]
        en "The file is encrypted or signed in a way that is not read here ({received})." => "Use the usual settings of the encryption program, and send the file again.";
        fr "Le fichier est chiffré ou signé d’une manière qui n’est pas lue ici ({received})." => "Utilisez les réglages habituels du logiciel de chiffrement, puis renvoyez le fichier.";
        de "Die Datei ist auf eine Weise verschlüsselt oder signiert, die hier nicht gelesen wird ({received})." => "Verwenden Sie die üblichen Einstellungen des Verschlüsselungsprogramms und senden Sie die Datei noch einmal.";
    F007 "detached" Fatal FileRefused each []
        en "This is only a signature, without the file that it signs." => "Send one file that holds both (in GnuPG: --sign --encrypt, not --detach-sign).";
        fr "Ce n’est qu’une signature, sans le fichier signé." => "Envoyez un seul fichier qui contient les deux (dans GnuPG\u{a0}: --sign --encrypt, et non --detach-sign).";
        de "Das ist nur eine Signatur, ohne die signierte Datei." => "Senden Sie eine einzige Datei, die beides enthält (in GnuPG: --sign --encrypt, nicht --detach-sign).";
    F007 "key" Fatal FileRefused each []
        en "This is an OpenPGP key, not a table." => "Send the encrypted file; give keys to the operator. If it is a secret key, it is secret no longer: make a new one.";
        fr "C’est une clé OpenPGP et non un tableau." => "Envoyez le fichier chiffré\u{a0}; remettez les clés à l’exploitant. S’il s’agit d’une clé secrète, elle ne l’est plus\u{a0}: créez-en une autre.";
        de "Das ist ein OpenPGP-Schlüssel und keine Tabelle." => "Senden Sie die verschlüsselte Datei; Schlüssel gehören an den Betreiber. Ist es ein geheimer Schlüssel, so ist er nicht mehr geheim: Erzeugen Sie einen neuen.";
    F007 "late" Fatal FileRefused each []
        en "Opening the encrypted file took too long and was stopped." => "Send the file again; if that does not help, ask the operator.";
        fr "L’ouverture du fichier chiffré a duré trop longtemps et a été interrompue." => "Renvoyez le fichier\u{a0}; si cela ne suffit pas, adressez-vous à l’exploitant.";
        de "Das Öffnen der verschlüsselten Datei dauerte zu lange und wurde abgebrochen." => "Senden Sie die Datei noch einmal; hilft das nicht, wenden Sie sich an den Betreiber.";
    F007 "unsigned" Fatal FileRefused each []
        en "The file is not signed, but this folder takes only files that are signed with OpenPGP." => "Sign the file with your key when encrypting it (in GnuPG: --sign --encrypt), and send it again.";
        fr "Le fichier n’est pas signé, or ce dossier n’accepte que des fichiers signés avec OpenPGP." => "Signez le fichier avec votre clé lors du chiffrement (dans GnuPG\u{a0}: --sign --encrypt), puis renvoyez-le.";
        de "Die Datei ist nicht signiert; dieser Ordner nimmt aber nur Dateien an, die mit OpenPGP signiert sind." => "Signieren Sie die Datei beim Verschlüsseln mit Ihrem Schlüssel (in GnuPG: --sign --encrypt) und senden Sie sie noch einmal.";
    F007 "unknown_signer" Fatal FileRefused each [("signer", "5D9B1C2A7E40F311")]
        en "The file is signed with a key that is not known here ({signer})." => "Sign it with the key that the operator has from you, or give the operator the new public key.";
        fr "Le fichier est signé avec une clé inconnue ici ({signer})." => "Signez-le avec la clé que vous avez remise à l’exploitant, ou remettez-lui la nouvelle clé publique.";
        de "Die Datei ist mit einem Schlüssel signiert, der hier nicht bekannt ist ({signer})." => "Signieren Sie sie mit dem Schlüssel, den der Betreiber von Ihnen hat, oder geben Sie ihm den neuen öffentlichen Schlüssel.";
    F007 "bad_signature" Fatal FileRefused each [("signer", "Groupe Roux")]
        en "The signature of {signer} does not fit: the file was changed after it was signed." => "Sign and send the file again; if this happens once more, find out together with the operator who changes the file on its way.";
        fr "La signature de {signer} ne correspond pas\u{a0}: le fichier a été modifié après avoir été signé." => "Signez et renvoyez le fichier\u{a0}; si cela se répète, cherchez avec l’exploitant qui modifie le fichier en chemin.";
        de "Die Signatur von {signer} passt nicht: Die Datei wurde nach dem Signieren verändert." => "Signieren und senden Sie die Datei noch einmal; geschieht das wieder, klären Sie mit dem Betreiber, wer die Datei unterwegs verändert.";
    F007 "expired_key" Fatal FileRefused each [("signer", "Groupe Roux")]
        en "The key of {signer} that signed the file has expired." => "Give the operator the key with a new date of expiry, or another key, and send the file again.";
        fr "La clé de {signer} qui a signé le fichier a expiré." => "Remettez à l’exploitant la clé avec une nouvelle date d’expiration, ou une autre clé, puis renvoyez le fichier.";
        de "Der Schlüssel von {signer}, mit dem die Datei signiert ist, ist abgelaufen." => "Geben Sie dem Betreiber den Schlüssel mit neuem Ablaufdatum oder einen anderen Schlüssel und senden Sie die Datei noch einmal.";
    F007 "revoked_key" Fatal FileRefused each [("signer", "Groupe Roux")]
        en "The key of {signer} that signed the file was revoked by its owner." => "Sign the file with a key that is still good, give its public key to the operator, and send the file again.";
        fr "La clé de {signer} qui a signé le fichier a été révoquée par son propriétaire." => "Signez le fichier avec une clé valable, remettez la clé publique à l’exploitant, puis renvoyez le fichier.";
        de "Der Schlüssel von {signer}, mit dem die Datei signiert ist, wurde von seinem Besitzer widerrufen." => "Signieren Sie die Datei mit einem gültigen Schlüssel, geben Sie dessen öffentlichen Teil dem Betreiber und senden Sie die Datei noch einmal.";
    F007 "invalid_signature" Fatal FileRefused each [("signer", "Groupe Roux")]
        en "The signature of {signer} does not count: its date cannot be, it has expired, or the key is not made for signing." => "Check the clock of the computer that signs, and sign with a key that is made for it.";
        fr "La signature de {signer} n’est pas valable\u{a0}: sa date est impossible, elle a expiré, ou la clé n’est pas prévue pour signer." => "Vérifiez l’horloge de l’ordinateur qui signe, et signez avec une clé prévue pour cela.";
        de "Die Signatur von {signer} zählt nicht: Ihr Datum ist unmöglich, sie ist abgelaufen, oder der Schlüssel ist nicht zum Signieren gedacht." => "Prüfen Sie die Uhr des Rechners, der signiert, und signieren Sie mit einem dafür gedachten Schlüssel.";
    F007 "weak_signature" Fatal FileRefused each [("signer", "Groupe Roux"), ("received", "SHA1")]
        en "{signer} signed the file in an outdated way ({received}) that can be forged." => "Set the signing program to SHA-256 or SHA-512 (in GnuPG: --digest-algo SHA512), and send the file again.";
        fr "{signer} a signé le fichier d’une manière périmée ({received}) qui peut être falsifiée." => "Réglez le logiciel de signature sur SHA-256 ou SHA-512 (dans GnuPG\u{a0}: --digest-algo SHA512), puis renvoyez le fichier.";
        de "{signer} hat die Datei auf eine veraltete Weise signiert ({received}), die sich fälschen lässt." => "Stellen Sie das Signierprogramm auf SHA-256 oder SHA-512 ein (in GnuPG: --digest-algo SHA512) und senden Sie die Datei noch einmal.";
    F007 "wrong_password" Fatal FileRefused each []
        en "The zip file does not open with the password agreed for this folder." => "Pack it with the agreed password; if that has changed, tell the operator the new one by phone.";
        fr "Le fichier zip ne s’ouvre pas avec le mot de passe convenu pour ce dossier." => "Compressez-le avec le mot de passe convenu\u{a0}; s’il a changé, communiquez le nouveau à l’exploitant par téléphone.";
        de "Die Zip-Datei lässt sich mit dem für diesen Ordner vereinbarten Kennwort nicht öffnen." => "Packen Sie sie mit dem vereinbarten Kennwort; hat es sich geändert, nennen Sie dem Betreiber das neue am Telefon.";
    F007 "no_password" Fatal FileRefused each []
        en "The zip file is protected with a password, but none was agreed for this folder." => "Tell the operator the password by phone, or send the file without one; the connection is encrypted already.";
        fr "Le fichier zip est protégé par un mot de passe, mais aucun n’a été convenu pour ce dossier." => "Communiquez le mot de passe à l’exploitant par téléphone, ou envoyez le fichier sans mot de passe\u{a0}; la connexion est déjà chiffrée.";
        de "Die Zip-Datei ist mit einem Kennwort geschützt, für diesen Ordner ist aber keines vereinbart." => "Nennen Sie dem Betreiber das Kennwort am Telefon, oder senden Sie die Datei ohne; die Verbindung ist bereits verschlüsselt.";
    F007 "weak_zip" Fatal FileRefused each []
        en "The zip file is protected in the old way (ZipCrypto), which keeps nobody out; it was not opened." => "Choose AES-256 when packing (in 7-Zip: “Encryption method”), and send the file again.";
        fr "Le fichier zip est protégé à l’ancienne (ZipCrypto), ce qui n’arrête personne\u{a0}; il n’a pas été ouvert." => "Choisissez AES-256 lors de la compression (dans 7-Zip\u{a0}: «\u{a0}Méthode de chiffrement\u{a0}»), puis renvoyez le fichier.";
        de "Die Zip-Datei ist auf die alte Weise geschützt (ZipCrypto), die niemanden aufhält; sie wurde nicht geöffnet." => "Wählen Sie beim Packen AES-256 (in 7-Zip: „Verschlüsselungsmethode“) und senden Sie die Datei noch einmal.";
    F008 "" Info AppliedChanged each [("encoding", "windows-1252")]
        en "The file does not say how its characters are encoded; it was read as {encoding}." => "If accents look wrong in the directory, export the file as UTF-8.";
        fr "Le fichier n’indique pas son codage de caractères\u{a0}; il a été lu en {encoding}." => "Si des accents sont incorrects dans l’annuaire, exportez le fichier en UTF-8.";
        de "Die Datei nennt ihre Zeichenkodierung nicht; sie wurde als {encoding} gelesen." => "Sehen Umlaute oder Akzente im Verzeichnis falsch aus, exportieren Sie die Datei als UTF-8.";
    F009 "" Warning AppliedChanged each [("received", "AndrÃ©"), ("meant", "André")]
        en "Accents and special letters were garbled on the way, for example “{received}” for “{meant}”; this was repaired." => "Tell whoever transfers the file to pass it on unchanged, as UTF-8.";
        fr "Les accents ont été altérés en chemin, par exemple «\u{a0}{received}\u{a0}» au lieu de «\u{a0}{meant}\u{a0}»\u{a0}; cela a été réparé." => "Demandez à la personne chargée du transfert de transmettre le fichier tel quel, en UTF-8.";
        de "Umlaute und Akzente wurden unterwegs verstümmelt, zum Beispiel „{received}“ statt „{meant}“; das wurde repariert." => "Bitten Sie die Person, die die Datei überträgt, sie unverändert als UTF-8 weiterzugeben.";
    F009 "unrepaired" Fatal FileRefused each [("received", "AndrÃ©"), ("meant", "André")]
        en "Accents and special letters were garbled on the way, for example “{received}” for “{meant}”, and this cannot be repaired without loss." => "Export the file as UTF-8 and pass it on unchanged.";
        fr "Les accents ont été altérés en chemin, par exemple «\u{a0}{received}\u{a0}» au lieu de «\u{a0}{meant}\u{a0}», et cela ne peut pas être réparé sans perte." => "Exportez le fichier en UTF-8 et transmettez-le tel quel.";
        de "Umlaute und Akzente wurden unterwegs verstümmelt, zum Beispiel „{received}“ statt „{meant}“; das lässt sich nicht ohne Verlust reparieren." => "Exportieren Sie die Datei als UTF-8 und geben Sie sie unverändert weiter.";
    H101 "" Fatal FileRefused each [("headers", "Vorname, Nachname")]
        en "The first columns ({headers}) do not say who each row is." => "Put the legal entity and the employee number into the first two columns, or the login, e-mail address or employee number into the first; or have the operator set the key of this folder.";
        fr "Les premières colonnes ({headers}) n’indiquent pas de qui parle chaque ligne." => "Placez l’entité légale et le matricule dans les deux premières colonnes, ou bien l’identifiant, l’adresse e-mail ou le matricule dans la première\u{a0}; ou faites régler la clé de ce dossier par l’exploitant.";
        de "Die ersten Spalten ({headers}) sagen nicht, um wen es in jeder Zeile geht." => "Setzen Sie Gesellschaft und Personalnummer in die ersten beiden Spalten oder Benutzername, E-Mail oder Personalnummer in die erste; oder lassen Sie den Betreiber den Schlüssel dieses Ordners einstellen.";
    H101 "no_header" Fatal FileRefused each [("headers", "FR01, 00123")]
        en "The file has no header line: its first line ({headers}, …) holds no column name that is known." => "Switch on the column names in the export, so that they stand in the first line.";
        fr "Le fichier n’a pas de ligne d’en-tête\u{a0}: sa première ligne ({headers}, …) ne contient aucun nom de colonne connu." => "Activez les noms de colonnes dans l’export, afin qu’ils figurent sur la première ligne.";
        de "Die Datei hat keine Kopfzeile: Ihre erste Zeile ({headers}, …) enthält keinen bekannten Spaltennamen." => "Schalten Sie im Export die Spaltennamen ein, damit sie in der ersten Zeile stehen.";
    H101 "frozen" Fatal FileRefused each [("fields", "employee_number")]
        en "A column is missing that tells people apart in this folder since its first import: {fields}." => "Add the column again with its usual header, then send the file once more.";
        fr "Il manque une colonne qui, depuis le premier import de ce dossier, identifie les personnes\u{a0}: {fields}." => "Rétablissez la colonne avec son en-tête habituel, puis renvoyez le fichier.";
        de "Es fehlt eine Spalte, die seit dem ersten Import dieses Ordners die Personen unterscheidet: {fields}." => "Nehmen Sie die Spalte mit ihrer üblichen Überschrift wieder auf und senden Sie die Datei noch einmal.";
    H101 "set" Fatal FileRefused each [("fields", "employee_number")]
        en "A column is missing that tells people apart by the settings of this folder: {fields}." => "Add the column, or have the operator change the key of this folder.";
        fr "Il manque une colonne qui, selon les réglages de ce dossier, identifie les personnes\u{a0}: {fields}." => "Ajoutez la colonne, ou faites modifier la clé de ce dossier par l’exploitant.";
        de "Es fehlt eine Spalte, die nach den Einstellungen dieses Ordners die Personen unterscheidet: {fields}." => "Ergänzen Sie die Spalte, oder lassen Sie den Betreiber den Schlüssel dieses Ordners ändern.";
    H102 "" Fatal FileRefused each [("field", "contract_start")]
        en "The required column “{field}” is missing." => "Add the column to the export; if it is there under another name, have the operator add that name as an alias.";
        fr "La colonne obligatoire «\u{a0}{field}\u{a0}» est absente." => "Ajoutez-la à l’export\u{a0}; si elle y figure sous un autre nom, faites ajouter ce nom comme alias par l’exploitant.";
        de "Die Pflichtspalte „{field}“ fehlt." => "Nehmen Sie sie in den Export auf; steht sie unter einem anderen Namen in der Datei, lassen Sie diesen vom Betreiber als Alias eintragen.";
    H103 "" Info ColumnIgnored each [("header", "Kantine")]
        en "The column “{header}” is not known and was not read." => "Nothing, if it is not needed; else have the operator add its name as an alias.";
        fr "La colonne «\u{a0}{header}\u{a0}» n’est pas connue et n’a pas été lue." => "Rien, si elle n’est pas utile\u{a0}; sinon, faites ajouter son nom comme alias par l’exploitant.";
        de "Die Spalte „{header}“ ist nicht bekannt und wurde nicht gelesen." => "Nichts, wenn sie nicht gebraucht wird; sonst lassen Sie ihren Namen vom Betreiber als Alias eintragen.";
    H103 "no_header" Info ColumnIgnored each [("cell", "F")]
        en "Column {cell} has values but no header; it was not read." => "Give it a header if it is needed.";
        fr "La colonne {cell} contient des valeurs mais n’a pas d’en-tête\u{a0}; elle n’a pas été lue." => "Donnez-lui un en-tête si elle est utile.";
        de "Spalte {cell} enthält Werte, hat aber keine Überschrift; sie wurde nicht gelesen." => "Geben Sie ihr eine Überschrift, wenn sie gebraucht wird.";
    H104 "" Warning ColumnIgnored each [("field", "department"), ("columns", "D, G")]
        en "The columns {columns} all carry “{field}”; none of them was read." => "Keep one of these columns, or give the others another header.";
        fr "Les colonnes {columns} contiennent toutes «\u{a0}{field}\u{a0}»\u{a0}; aucune n’a été lue." => "Ne gardez qu’une de ces colonnes, ou donnez un autre en-tête aux autres.";
        de "Die Spalten {columns} enthalten alle „{field}“; keine davon wurde gelesen." => "Behalten Sie eine dieser Spalten, oder geben Sie den anderen eine andere Überschrift.";
    H104 "kept" Warning ColumnIgnored each [("field", "department"), ("columns", "G"), ("kept_column", "D")]
        en "The columns {columns} carry “{field}” too; column {kept_column} was read, the others were not." => "Leave the other columns out, or give them another header.";
        fr "Les colonnes {columns} contiennent aussi «\u{a0}{field}\u{a0}»\u{a0}; la colonne {kept_column} a été lue, pas les autres." => "Supprimez les autres colonnes, ou donnez-leur un autre en-tête.";
        de "Die Spalten {columns} enthalten ebenfalls „{field}“; gelesen wurde Spalte {kept_column}, die anderen nicht." => "Lassen Sie die anderen Spalten weg, oder geben Sie ihnen eine andere Überschrift.";
    H104 "same" Info Applied each [("field", "contract_start"), ("columns", "E, F"), ("kept_column", "E")]
        en "The columns {columns} all carry “{field}” and say the same in every row; column {kept_column} was read." => "";
        fr "Les colonnes {columns} contiennent toutes «\u{a0}{field}\u{a0}» et disent la même chose à chaque ligne\u{a0}; la colonne {kept_column} a été lue." => "";
        de "Die Spalten {columns} enthalten alle „{field}“ und sagen in jeder Zeile dasselbe; gelesen wurde Spalte {kept_column}." => "";
    H105 "" Warning ColumnIgnored each [("header", "Statut"), ("fields", "contract_type, status")]
        en "The header “{header}” could mean several fields ({fields}); the column was not read." => "Rename the column to the field that is meant, or have the operator add the header as an alias.";
        fr "L’en-tête «\u{a0}{header}\u{a0}» peut désigner plusieurs champs ({fields})\u{a0}; la colonne n’a pas été lue." => "Renommez la colonne selon le champ voulu, ou faites ajouter l’en-tête comme alias par l’exploitant.";
        de "Die Überschrift „{header}“ kann mehrere Felder meinen ({fields}); die Spalte wurde nicht gelesen." => "Benennen Sie die Spalte nach dem gemeinten Feld, oder lassen Sie die Überschrift vom Betreiber als Alias eintragen.";
    H105 "alias" Warning Applied each [("header", "login"), ("field", "login"), ("alias_field", "email")]
        en "The header “{header}” is one of our own names, so the column was read as “{field}”; the alias of the settings for “{alias_field}” has no effect." => "Rename the column in the export, or have the operator remove the alias.";
        fr "L’en-tête «\u{a0}{header}\u{a0}» est l’un de nos propres noms\u{a0}: la colonne a été lue comme «\u{a0}{field}\u{a0}», et l’alias des réglages pour «\u{a0}{alias_field}\u{a0}» reste sans effet." => "Renommez la colonne dans l’export, ou faites supprimer l’alias par l’exploitant.";
        de "Die Überschrift „{header}“ ist einer unserer eigenen Namen: Die Spalte wurde als „{field}“ gelesen, der Alias der Einstellungen für „{alias_field}“ bleibt ohne Wirkung." => "Benennen Sie die Spalte im Export um, oder lassen Sie den Alias vom Betreiber entfernen.";
    H106 "vanished" Warning Kept each [("field", "department")]
        en "The last full file had a column for “{field}”, this one has not; the values in the directory stay as they are." => "If the column was left out by mistake, add it to the export again.";
        fr "Le dernier fichier complet avait une colonne «\u{a0}{field}\u{a0}», celui-ci ne l’a plus\u{a0}; les valeurs de l’annuaire restent inchangées." => "Si la colonne a été oubliée, rétablissez-la dans l’export.";
        de "Die letzte vollständige Datei hatte eine Spalte für „{field}“, diese nicht; die Werte im Verzeichnis bleiben, wie sie sind." => "Wurde die Spalte versehentlich weggelassen, nehmen Sie sie wieder in den Export auf.";
    H106 "appeared" Info Applied each [("field", "cost_center"), ("column", "Kostenstelle")]
        en "The column “{column}” ({field}) is new since the last full file; it was read." => "";
        fr "La colonne «\u{a0}{column}\u{a0}» ({field}) est nouvelle depuis le dernier fichier complet\u{a0}; elle a été lue." => "";
        de "Die Spalte „{column}“ ({field}) ist seit der letzten vollständigen Datei neu; sie wurde gelesen." => "";
};
