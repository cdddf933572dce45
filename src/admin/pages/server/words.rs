//! The words of the server's pages for roles, scopes and jobs, in the page's language.

use crate::admin::pages::status::Badge;
use crate::admin::shell::Shell;
use crate::model::{Administrator, Role, Scope};
use crate::service::outbox::{JobKind, JobState};

/// A role by name.
pub(in crate::admin) fn role(p: &Shell, role: &Role) -> &'static str {
    match role {
        Role::Admin => p.t("Administrator", "Administrateur", "Administrator"),
        Role::Operator => p.t("Operator", "Exploitant", "Operator"),
        Role::Viewer => p.t("Viewer", "Lecteur", "Betrachter"),
        Role::Client => p.t("Client", "Client", "Kunde"),
    }
}

/// What a role may do.
pub(super) fn role_hint(p: &Shell, role: &Role) -> &'static str {
    match role {
        Role::Admin => p.t("Everything.", "Tout.", "Alles."),
        Role::Operator => p.t(
            "Everything but administrators, API tokens, webhooks and erasing clients.",
            "Tout sauf les administrateurs, les jetons d’API, les webhooks et l’effacement de clients.",
            "Alles außer Administratoren, API-Tokens, Webhooks und dem Löschen von Kunden.",
        ),
        Role::Viewer => p.t(
            "Sees everything, people’s data included; changes nothing.",
            "Voit tout, y compris les données des personnes\u{a0}; ne change rien.",
            "Sieht alles, auch die Personendaten; ändert nichts.",
        ),
        Role::Client => p.t(
            "Somebody of a client’s: sees that client only, and can try files out.",
            "Une personne d’un client\u{a0}: ne voit que ce client et peut essayer des fichiers.",
            "Jemand aus einem Kundenunternehmen: sieht nur diesen Kunden und kann Dateien ausprobieren.",
        ),
    }
}

/// What a scope allows.
pub(super) fn scope(p: &Shell, scope: &Scope) -> &'static str {
    match scope {
        Scope::Read => p.t(
            "look at everything, people’s data included",
            "tout consulter, y compris les données des personnes",
            "alles ansehen, auch die Personendaten",
        ),
        Scope::Try => p.t(
            "try a file out without importing it",
            "essayer un fichier sans l’importer",
            "eine Datei ausprobieren, ohne sie zu importieren",
        ),
        Scope::Run => p.t(
            "import, approve, discard, undo, change users",
            "importer, approuver, abandonner, annuler, modifier des utilisateurs",
            "importieren, freigeben, verwerfen, zurücknehmen, Benutzer ändern",
        ),
        Scope::Arrange => p.t(
            "clients, accounts, folders, settings, mappings",
            "clients, comptes, dossiers, réglages, correspondances",
            "Kunden, Konten, Ordner, Einstellungen, Zuordnungen",
        ),
        Scope::Govern => p.t(
            "administrators, API tokens, webhooks, erasing clients",
            "administrateurs, jetons d’API, webhooks, effacement de clients",
            "Administratoren, API-Tokens, Webhooks, Löschen von Kunden",
        ),
    }
}

/// Whether somebody can sign in.
pub(super) fn standing(p: &Shell, one: &Administrator) -> Badge {
    match (one.enabled, one.has_password) {
        (false, _) => Badge { class: "bad", words: p.t("Disabled", "Désactivé", "Deaktiviert") },
        (true, true) => Badge { class: "good", words: p.t("Active", "Actif", "Aktiv") },
        (true, false) if one.invited_until.is_some() => {
            Badge { class: "look", words: p.t("Invited", "Invité", "Eingeladen") }
        }
        (true, false) => Badge {
            class: "look",
            words: p.t("Without password", "Sans mot de passe", "Ohne Passwort"),
        },
    }
}

/// Where a job stands.
pub(super) fn job_state(p: &Shell, state: &JobState) -> Badge {
    match state {
        JobState::Waiting => Badge { class: "look", words: p.t("Waiting", "En attente", "Wartet") },
        JobState::Done => Badge { class: "good", words: p.t("Sent", "Envoyé", "Gesendet") },
        JobState::Failed => {
            Badge { class: "bad", words: p.t("Given up", "Abandonné", "Aufgegeben") }
        }
        JobState::Withdrawn => {
            Badge { class: "plain", words: p.t("Withdrawn", "Retiré", "Zurückgezogen") }
        }
    }
}

/// What a job does.
pub(super) fn job_kind(p: &Shell, kind: &JobKind) -> &'static str {
    match kind.name() {
        "mail" => p.t("E-mail", "E-mail", "E-Mail"),
        "hook" => p.t("Hook", "Hook", "Hook"),
        "delivery" => p.t("Delivery", "Livraison", "Lieferung"),
        _ => p.t("Webhook", "Webhook", "Webhook"),
    }
}
