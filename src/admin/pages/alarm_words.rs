//! What an alarm means and what to do about it, in the page's language; the alarm's own text names the place and the value.

use crate::admin::shell::Shell;

/// What happened in general, and the cure; empty for a code that is told by its text alone.
pub(super) fn cure(p: &Shell, code: &str) -> &'static str {
    match code {
        "T02" => p.t(
            "The client’s own server cannot be reached or refuses the login. It is tried again by itself; test the connection on the account’s page.",
            "Le serveur du client est injoignable ou refuse l’identifiant. Une nouvelle tentative a lieu d’elle-même\u{a0}; testez la connexion sur la page du compte.",
            "Der Server des Kunden ist nicht erreichbar oder lehnt die Anmeldung ab. Es wird von selbst erneut versucht; testen Sie die Verbindung auf der Seite des Kontos.",
        ),
        "T03" => p.t(
            "A report cannot be written where it belongs, or a file cannot be fetched: look what lies in its place, a folder of that name or a missing right to write or read.",
            "Un rapport ne peut pas être écrit à sa place, ou un fichier ne peut pas être récupéré\u{a0}: regardez ce qui s’y trouve, un dossier de ce nom ou un droit d’écriture ou de lecture manquant.",
            "Ein Bericht lässt sich nicht an seinen Platz schreiben oder eine Datei nicht abholen: Sehen Sie nach, was dort liegt, ein Ordner dieses Namens oder ein fehlendes Schreib- oder Leserecht.",
        ),
        "T04" => p.t(
            "The client’s server shows another host key or certificate than the confirmed one; nothing was sent to it. Ask the client whether it was exchanged, then confirm the new one on the account’s page.",
            "Le serveur du client présente une autre clé d’hôte ou un autre certificat que celui confirmé\u{a0}; rien ne lui a été envoyé. Demandez au client s’il a été remplacé, puis confirmez le nouveau sur la page du compte.",
            "Der Server des Kunden zeigt einen anderen Host-Schlüssel oder ein anderes Zertifikat als das bestätigte; es wurde nichts dorthin gesendet. Fragen Sie den Kunden, ob gewechselt wurde, und bestätigen Sie dann das neue auf der Seite des Kontos.",
        ),
        "T05" => p.t(
            "No file came by the hour that the folder expects: look at the payroll program and its schedule. The alarm ends with the next file.",
            "Aucun fichier n’est arrivé à l’heure attendue par le dossier\u{a0}: vérifiez le logiciel de paie et son planning. L’alarme se termine avec le prochain fichier.",
            "Bis zur erwarteten Stunde kam keine Datei in den Ordner: Sehen Sie nach dem Lohnprogramm und seinem Zeitplan. Der Alarm endet mit der nächsten Datei.",
        ),
        "T06" => p.t(
            "The newest import is older than the folder expects. The same file again counts as none: the export on the other side has probably stopped.",
            "Le dernier import est plus ancien que ce que le dossier attend. Le même fichier renvoyé ne compte pas\u{a0}: l’export de l’autre côté s’est sans doute arrêté.",
            "Der neueste Import ist älter, als der Ordner erwartet. Dieselbe Datei noch einmal zählt nicht: Der Export auf der anderen Seite steht vermutlich still.",
        ),
        "T08" => p.t(
            "An e-mail, a hook, a webhook or a file for a client’s server was given up, or the mail server takes nothing. Mend the receiver, then try again in the outbox.",
            "Un e-mail, un hook, un webhook ou un fichier pour le serveur d’un client a été abandonné, ou le serveur de messagerie n’accepte rien. Réparez le destinataire, puis réessayez dans la boîte d’envoi.",
            "Eine E-Mail, ein Hook, ein Webhook oder eine Datei für den Server eines Kunden wurde aufgegeben, oder der Mailserver nimmt nichts an. Beheben Sie es beim Empfänger und versuchen Sie es dann im Postausgang erneut.",
        ),
        "T09" => p.t(
            "An export did not run by itself. Look at its page: the reason stands at its last run, and there it can be run all the same.",
            "Un export ne s’est pas exécuté de lui-même. Voyez sa page\u{a0}: la raison figure au dernier envoi, et on peut l’y lancer malgré tout.",
            "Ein Export lief nicht von selbst. Sehen Sie auf seine Seite: Der Grund steht beim letzten Lauf, und dort lässt er sich trotzdem ausführen.",
        ),
        "T10" => p.t(
            "The TLS certificate ends soon or has ended. Put a new certificate and its key into the certificates folder; the server takes them up by itself.",
            "Le certificat TLS expire bientôt ou a expiré. Déposez un nouveau certificat et sa clé dans le dossier des certificats\u{a0}; le serveur les prend en compte de lui-même.",
            "Das TLS-Zertifikat läuft bald ab oder ist abgelaufen. Legen Sie ein neues Zertifikat mit Schlüssel in den Zertifikatsordner; der Server übernimmt es von selbst.",
        ),
        _ => "",
    }
}
