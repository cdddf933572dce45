"""The same job through the command line, the page and the API leaves the same behind.

One table (JOBS): each job is done for three clients that are alike, through another door each; then all that the databases
hold of the three is compared. Times, ids, salts and secrets differ and are left out; nothing else may.
"""

import http.cookiejar
import json
import re
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from html.parser import HTMLParser

DEADLINE_S = 180
# So long a difference between the doors may last.
SAME_S = 20
# Of a row that differs, so many characters are told.
LINE_CHARS = 4000
PASSWORD = "a-long-enough-password-7"
ACCOUNT_PASSWORD = "correct-horse-battery-staple"
OTHER_PASSWORD = "staple-battery-horse-correct"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl payroll@acme"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
ROSTER = (
    "employee number;last name;first name;email;hire date;department;csp\n"
    "00042;Martin;Paul;paul.martin@example.com;2019-09-02;HR;Executive France\n"
    "00123;Dupont;Anne;anne.dupont@example.com;2024-01-08;SALES;Executive UK\n"
    "00124;Neu;Ida;ida.neu@example.com;2024-01-09;SALES;Executive UK\n"
)
NEXT_ROSTER = ROSTER.replace("Martin", "Martin-Roux")
# As the page's form writes it.
EXPORT = (
    'dates = "YYYY-MM-DD"\ndecimal = "."\nencoding = "utf-8"\nfile_name = "{export}_{date}_{seq}.csv"\nheader = true\nmanager = "auto"\n'
    'send_empty = false\nseparator = ";"\ntrigger = "manual"\nusers = ["upcoming", "active", "ended"]\nwhat = "all"\n'
)
LIST = "code;name\nSALES;Sales\nHR;Human resources\nIT;Computing\n"

# What is another for each door by its nature.
ASIDE_TABLES = re.compile(
    r"^(sqlite_|search|searched|quality|activity|audit|events?$|event_|admin_|api_|repeat|schema|meta|sealing|outbox|origin_marks)"
)
ASIDE_COLUMNS = re.compile(
    r"(_at|_id|^id|^at|^seq|_seq|^since|^until|^by|^who|_by|^token|hash|sealed|salt|^print|digest|^change|^key_id|^archive|^version|^stamp|"
    r"^origin|^source|^data_key|^upload|^import|^micros)$"
)
# What is another for each door, and must be another after a job that gives one.
SECRET_COLUMNS = re.compile(r"hash$|^sealed")
# A number that runs through all clients; what is made anew for each.
ASIDE_OF = {"export_runs": {"n"}, "pgp_keys": {"fingerprint", "public_key", "sealed_key"}}
# Who did it is told in each door's own words.
WHO = {"cli", "doors", "token tests"}
SIGNED = re.compile(r'"[a-z_]*(by|who)": ?"[^"]*"')
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\[[^]]*\])?")


class Forms(HTMLParser):
    """The forms of a page with what they would send if nothing was typed."""

    def __init__(self):
        super().__init__()
        self.all, self.select, self.text = [], None, None

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        if tag == "form":
            self.all.append((has.get("action", ""), has.get("enctype"), []))
            return
        if not self.all:
            return
        fields, name = self.all[-1][2], has.get("name")
        if tag == "input" and name and "disabled" not in has:
            kind = has.get("type", "text")
            if kind in ("submit", "file", "button") or (kind in ("checkbox", "radio") and "checked" not in has):
                return
            fields.append((name, has.get("value") or ("on" if kind == "checkbox" else "")))
        elif tag == "select":
            self.select = [name, None]
        elif tag == "option" and self.select:
            if "selected" in has or self.select[1] is None:
                self.select[1] = has.get("value", "")
        elif tag == "textarea":
            self.text = [name, ""]

    def handle_data(self, data):
        if self.text:
            self.text[1] += data

    def handle_endtag(self, tag):
        if tag == "select" and self.select and self.all:
            self.all[-1][2].append((self.select[0], self.select[1] or ""))
            self.select = None
        elif tag == "textarea" and self.text and self.all:
            # The first line break after the tag is none of the text.
            self.all[-1][2].append((self.text[0], self.text[1].removeprefix("\n")))
            self.text = None


class Page:
    """Somebody at the administration page: forms are filled in as they stand there."""

    def __init__(self, url):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def get(self, path):
        with self.opener.open(self.url + path, timeout=DEADLINE_S) as answer:
            return answer.read().decode(), answer.geturl()

    def forms(self, path):
        reader = Forms()
        reader.feed(self.get(path)[0])
        return reader.all

    def send(self, path, action, typed, file=None, drop=(), press=None):
        """Fills in the form with this action on the page at `path`. `typed`: name to value, or to a list of values."""
        found = [form for form in self.forms(path) if form[0] == action and (press is None or dict(form[2]).get(press[0]) == press[1])]
        if not found:
            raise AssertionError(f"{path} has no form for {action}: {[form[0] for form in self.forms(path)]}")
        fields = [(name, value) for name, value in found[0][2] if name not in typed and name not in drop]
        for name, value in typed.items():
            fields += [(name, one) for one in (value if isinstance(value, list) else [value])]
        return self.post(action, fields, file)

    def post(self, action, fields, file=None):
        if file:
            edge = uuid.uuid4().hex
            parts = [f'--{edge}\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
            name, content = file
            parts.append(f'--{edge}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n{content}\r\n--{edge}--\r\n')
            body, kind = "".join(parts).encode(), f"multipart/form-data; boundary={edge}"
        else:
            body, kind = urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.url + action, body, {"Content-Type": kind})
        try:
            with self.opener.open(request, timeout=DEADLINE_S) as answer:
                return answer.read().decode(), answer.geturl()
        except urllib.error.HTTPError as error:
            said = re.sub(r"<[^>]+>|\s+", " ", error.read().decode())
            raise AssertionError(f"POST {action}: {error.code} {said[:600]}") from None


class Door:
    """One client, and the one way in which everything is done to it."""

    def __init__(self, house, slug, page, token):
        self.house, self.slug, self.at_page, self.token = house, slug, page, token
        self.url = f"http://{house.page}/api/v1"

    # The three doors

    def cli(self, *words, stdin=None):
        return self.house.cli(*words, stdin=stdin)

    def page(self, path, action, typed, **more):
        return self.at_page.send(path, action, typed, **more)

    def api(self, method, path, body=None, kind="application/json"):
        data = None
        if body is not None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Authorization": f"Bearer {self.token}"}, method=method)
        if data is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:600]}") from None
        return json.loads(text) if text.startswith(("{", "[")) else text

    # What is there

    def file(self, name, content):
        path = self.house.work / self.slug / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return str(path)

    def imports(self):
        return self.house.cli("imports", "list", self.slug)

    def user(self, number):
        return next(u["id"] for u in self.house.cli("users", "list", self.slug, "--format", "json") if u["employee_number"] == number)

    def partner(self):
        return self.house.cli("pgp", "partner", "list", self.slug)[0]["fingerprint"]

    def left_behind(self):
        """All rows about this client, with what differs by nature left out; and the print of the secrets among them."""
        found, secrets = {}, []
        for name in ("registry.db", f"clients/{self.slug}/users.db"):
            path = self.house.data / name
            if not path.exists():
                continue
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=DEADLINE_S) as database:
                for table, columns in self.tables(database, name).items():
                    aside = ASIDE_OF.get(table, set())
                    shown = [column for column in columns if not ASIDE_COLUMNS.search(column) and column not in aside]
                    where, values = "", []
                    if name == "registry.db":
                        owner = next(c for c in ("client", "slug", "login", "account") if c in columns)
                        where, values = f'WHERE "{owner}" = ?', [self.slug]
                    if not shown:
                        continue
                    listed = ", ".join(f'"{column}"' for column in shown)
                    rows = database.execute(f'SELECT {listed} FROM "{table}" {where}', values)
                    found[f"{name.split('/')[-1]} {table}"] = sorted(self.told(shown, row) for row in rows)
                    hidden = ", ".join(f'"{column}"' for column in columns if SECRET_COLUMNS.search(column))
                    if hidden:
                        secrets += database.execute(f'SELECT {hidden} FROM "{table}" {where}', values).fetchall()
            database.close()
        return found, str(secrets)

    @staticmethod
    def tables(database, name):
        tables = {}
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
            is_about = name != "registry.db" or {"client", "slug", "login", "account"} & set(columns)
            if is_about and not ASIDE_TABLES.search(table):
                tables[table] = columns
        return tables

    def told(self, columns, row):
        def one(value):
            if isinstance(value, bytes):
                return f"{len(value)} bytes"
            if value in WHO:
                return "WHO"
            text = SIGNED.sub("", str(value).replace(self.slug, "CLIENT"))
            return INSTANT.sub("TIME", UUID.sub("ID", text))

        return "; ".join(f"{column}={one(value)}" for column, value in zip(columns, row))


def settled(door):
    """Waits until no upload of the client is under way."""
    end = time.monotonic() + DEADLINE_S
    while any(i["status"] == "waiting" for i in door.imports()):
        if time.monotonic() > end:
            raise AssertionError(f"an import of {door.slug} does not end")
        time.sleep(0.05)


def imported(door, name, content):
    """On the page a file is tried first, and then imported as it was tried."""
    _, tried = door.page(f"/clients/{door.slug}/try", f"/clients/{door.slug}/try", {"folder": "roster"}, file=(name, content))
    path = urllib.parse.urlsplit(tried).path
    door.page(path, f"{path}/import", {})


def newest(door, status):
    return next(i["id"] for i in door.imports() if i["status"] == status)


def typed_folders(door, changes):
    """The table of folders of the page, row by row, as it stands there but for the changes."""
    path = f"/accounts/{door.slug}/folders"
    fields = next(form[2] for form in door.at_page.forms(path) if form[0] == path)
    door.at_page.post(path, changes(fields))


def added(name, place, purpose):
    """Types a new folder into the empty row at the end of the table."""

    def change(fields):
        rows = {"name": name, "path": place, "purpose": purpose}
        for word, value in rows.items():
            last = max(at for at, (field, _) in enumerate(fields) if field == word)
            fields[last] = (word, value)
        return fields

    return change


def with_pattern(name, pattern):
    def change(fields):
        at = next(at for at, field in enumerate(fields) if field == ("name", name))
        place = next(n for n in range(at, len(fields)) if fields[n][0] == "pattern")
        fields[place] = ("pattern", pattern)
        return fields

    return change


# Each job: its name, and how it is done through each door.
JOBS = [
    ("a client is added",
     lambda d: d.cli("client", "add", d.slug, "--name", "Acme SA", "--language", "fr", "--time-zone", "Europe/Paris"),
     lambda d: d.page("/clients/new", "/clients/new", {"name": "Acme SA", "slug": d.slug, "language": "fr", "time_zone": "Europe/Paris"}),
     lambda d: d.api("POST", "/clients", {"slug": d.slug, "name": "Acme SA", "language": "fr", "time_zone": "Europe/Paris"})),
    ("its name, language and periods are changed",
     lambda d: d.cli("client", "set", d.slug, "--name", "Acme SAS", "--language", "de", "--archive-days", "30"),
     lambda d: d.page(f"/clients/{d.slug}/settings", f"/clients/{d.slug}/settings", {"name": "Acme SAS", "language": "de", "archive_days": "30"}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}", {"name": "Acme SAS", "language": "de", "own_retention": {"archive_days": 30}})),
    ("it is closed",
     lambda d: d.cli("client", "disable", d.slug),
     lambda d: d.page(f"/clients/{d.slug}/settings", f"/clients/{d.slug}/disable", {}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}", {"enabled": False})),
    ("it is opened again",
     lambda d: d.cli("client", "enable", d.slug),
     lambda d: d.page(f"/clients/{d.slug}/settings", f"/clients/{d.slug}/enable", {}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}", {"enabled": True})),
    ("an account is added",
     lambda d: d.cli("account", "add", d.slug, "Payroll", "--login", d.slug, "--protocols", "sftp,ftpes"),
     lambda d: d.page(f"/accounts/new?client={d.slug}&host=standard", "/accounts/new", {"name": "Payroll", "login": d.slug, "protocols": ["sftp", "ftpes"]}),
     lambda d: d.api("POST", f"/clients/{d.slug}/accounts", {"name": "Payroll", "login": d.slug, "protocols": ["sftp", "ftpes"]})),
    ("its name is changed",
     lambda d: d.cli("account", "set", d.slug, "--name", "Payroll Lyon"),
     lambda d: d.page(f"/accounts/{d.slug}/edit", f"/accounts/{d.slug}/name", {"name": "Payroll Lyon"}),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}", {"name": "Payroll Lyon"})),
    ("its connection types are changed",
     lambda d: d.cli("account", "set", d.slug, "--protocols", "sftp,ftps,ftpes"),
     lambda d: d.page(f"/accounts/{d.slug}/edit", f"/accounts/{d.slug}/host", {"protocols": ["sftp", "ftps", "ftpes"]}),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}", {"protocols": ["sftp", "ftps", "ftpes"]})),
    ("it gets another password",
     lambda d: d.cli("account", "password", d.slug, "--password-stdin", stdin=OTHER_PASSWORD),
     lambda d: d.page(f"/accounts/{d.slug}/edit", f"/accounts/{d.slug}/password", {"how": "given", "password": OTHER_PASSWORD}),
     lambda d: d.api("POST", f"/accounts/{d.slug}/password", {"password": OTHER_PASSWORD})),
    ("it gets a key",
     lambda d: d.cli("account", "key", "add", d.slug, d.file("key.pub", KEY)),
     lambda d: d.page(f"/accounts/{d.slug}/keys", f"/accounts/{d.slug}/keys", {"key": KEY}),
     lambda d: d.api("POST", f"/accounts/{d.slug}/keys", {"public_key": KEY})),
    ("it may come from some networks, until a day",
     lambda d: d.cli("account", "rules", d.slug, "--allow-from", "192.0.2.0/24,127.0.0.1", "--expires", "2036-01-31"),
     lambda d: d.page(f"/accounts/{d.slug}/permissions", f"/accounts/{d.slug}/permissions", {"allow_from": "192.0.2.0/24\n127.0.0.1", "last_day": "2036-01-31"}),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}/rules", {"allow_from": ["192.0.2.0/24", "127.0.0.1"], "last_day": "2036-01-31"})),
    ("its rights are fewer",
     lambda d: d.cli("account", "rights", d.slug, "list,read,write,overwrite"),
     lambda d: d.page(f"/accounts/{d.slug}/permissions", f"/accounts/{d.slug}/permissions", {"right": ["list", "read", "write", "overwrite"]}),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}/rules", {"rights": "list,read,write,overwrite"})),
    ("it has limits of its own",
     lambda d: d.cli("account", "limits", d.slug, "--sessions", "4", "--files", "1000"),
     lambda d: d.page(f"/accounts/{d.slug}/permissions", f"/accounts/{d.slug}/permissions", {"max_sessions": "4", "quota_files": "1000"}),
     lambda d: d.api("PUT", f"/accounts/{d.slug}/limits", {"max_sessions": 4, "quota_files": 1000})),
    ("it gets an import folder",
     lambda d: d.cli("folder", "add", d.slug, "roster", "/roster", "--purpose", "import"),
     lambda d: typed_folders(d, added("roster", "/roster", "import")),
     lambda d: d.api("POST", f"/accounts/{d.slug}/folders", {"name": "roster", "path": "/roster", "purpose": "import"})),
    ("it gets an export folder",
     lambda d: d.cli("folder", "add", d.slug, "to-acme", "/to-acme", "--purpose", "export"),
     lambda d: typed_folders(d, added("to-acme", "/to-acme", "export")),
     lambda d: d.api("POST", f"/accounts/{d.slug}/folders", {"name": "to-acme", "path": "/to-acme", "purpose": "export"})),
    ("the import folder gets a pattern",
     lambda d: d.cli("folder", "set", d.slug, "roster", "--pattern", "*.csv"),
     lambda d: typed_folders(d, with_pattern("roster", "*.csv")),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}/folders/roster", {"pattern": "*.csv"})),
    ("its zips get a password",
     lambda d: d.cli("folder", "zip-password", d.slug, "roster", "--password-stdin", stdin=PASSWORD),
     lambda d: d.page(f"/clients/{d.slug}/folders/roster/encryption", f"/clients/{d.slug}/folders/roster/zip-password", {"password": PASSWORD}),
     lambda d: d.api("PUT", f"/accounts/{d.slug}/folders/roster/zip-password", {"password": PASSWORD})),
    ("the import settings are replaced",
     lambda d: d.cli("settings", "load", d.slug, "roster", d.file("s.toml", 'key = "employee_number"\nmode = "full"\n')),
     lambda d: d.page(f"/clients/{d.slug}/folders/roster/text", f"/clients/{d.slug}/folders/roster/text", {"text": 'key = "employee_number"\nmode = "full"\n'}),
     lambda d: d.api("PUT", f"/clients/{d.slug}/folders/roster/settings", 'key = "employee_number"\nmode = "full"\n', kind="application/toml")),
    ("a file is imported",
     lambda d: d.cli("import", d.slug, d.file("users.csv", ROSTER), "--folder", "roster"),
     lambda d: imported(d, "users.csv", ROSTER),
     lambda d: d.api("POST", f"/clients/{d.slug}/imports?folder=roster&name=users.csv&wait=30", ROSTER, kind="text/csv")),
    ("another file is imported",
     lambda d: d.cli("import", d.slug, d.file("users.csv", NEXT_ROSTER), "--folder", "roster"),
     lambda d: imported(d, "users.csv", NEXT_ROSTER),
     lambda d: d.api("POST", f"/clients/{d.slug}/imports?folder=roster&name=users.csv&wait=30", NEXT_ROSTER, kind="text/csv")),
    ("the import is taken back",
     lambda d: d.cli("imports", "undo", d.imports()[0]["id"]),
     lambda d: d.page(f"/imports/{d.imports()[0]['id']}/undo", f"/imports/{d.imports()[0]['id']}/undo", {}),
     lambda d: d.api("POST", f"/imports/{d.imports()[0]['id']}/undo", {})),
    ("somebody's values are changed by hand",
     lambda d: d.cli("users", "set", d.slug, "00124", "department=HR", "phone=+33 1 23 45 67 89"),
     lambda d: d.page(f"/clients/{d.slug}/users/{d.user('00124')}/edit", f"/clients/{d.slug}/users/{d.user('00124')}/edit", {"department": "HR", "phone": "+33 1 23 45 67 89"}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}/users/key:00124", {"values": {"department": "HR", "phone": "+33 1 23 45 67 89"}})),
    ("codes are mapped",
     lambda d: d.cli("mappings", "set", d.slug, "roster", "csp", "Executive France=Executive", "Executive UK=Executive"),
     lambda d: mapped(d, "csp", {"Executive France": "Executive", "Executive UK": "Executive"}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}/folders/roster/mappings", {"field": "csp", "codes": {"Executive France": "Executive", "Executive UK": "Executive"}})),
    ("a list is loaded",
     lambda d: d.cli("lists", "load", d.slug, "department", d.file("list.csv", LIST)),
     lambda d: d.page(f"/clients/{d.slug}/lists/department", f"/clients/{d.slug}/lists/department/load", {}, file=("list.csv", LIST), drop=("replace",)),
     lambda d: d.api("PUT", f"/clients/{d.slug}/lists/department", LIST, kind="text/csv")),
    ("an entry is added to a list",
     lambda d: d.cli("lists", "add", d.slug, "department", "LEGAL", "--name", "Legal affairs"),
     lambda d: d.page(f"/clients/{d.slug}/lists/department", f"/clients/{d.slug}/lists/department", {"code": "LEGAL", "name": "Legal affairs", "do": "add"}, drop=("pick",)),
     lambda d: d.api("POST", f"/clients/{d.slug}/lists/department/entries", {"code": "LEGAL", "name": "Legal affairs"})),
    ("an entry is removed from a list",
     lambda d: d.cli("lists", "remove", d.slug, "department", "LEGAL"),
     lambda d: d.page(f"/clients/{d.slug}/lists/department", f"/clients/{d.slug}/lists/department", {"pick": "LEGAL", "do": "remove"}),
     lambda d: d.api("DELETE", f"/clients/{d.slug}/lists/department/entries/LEGAL")),
    ("an export is added",
     lambda d: d.cli("exports", "add", d.slug, "directory", "--folder", "to-acme", "--settings", d.file("e.toml", EXPORT)),
     lambda d: d.page(f"/clients/{d.slug}/exports/new", f"/clients/{d.slug}/exports/new", {"name": "directory", "folder": "to-acme"}),
     lambda d: d.api("POST", f"/clients/{d.slug}/exports", {"name": "directory", "folder": "to-acme", "settings": EXPORT})),
    ("it is run",
     lambda d: d.cli("exports", "run", d.slug, "directory"),
     lambda d: d.page(f"/clients/{d.slug}/exports/directory", f"/clients/{d.slug}/exports/directory/run", {}),
     lambda d: d.api("POST", f"/clients/{d.slug}/exports/directory/runs", {"how": "usual"})),
    ("it is switched off",
     lambda d: d.cli("exports", "disable", d.slug, "directory"),
     lambda d: d.page(f"/clients/{d.slug}/exports/directory", f"/clients/{d.slug}/exports/directory/enable", {"enabled": "false"}),
     lambda d: d.api("PATCH", f"/clients/{d.slug}/exports/directory", {"enabled": False})),
    ("a file is handed over",
     lambda d: d.cli("drop", d.slug, "to-acme", d.file("absences.csv", "employee;days\n00123;2\n")),
     lambda d: d.page(f"/clients/{d.slug}/drops", f"/clients/{d.slug}/drops", {"folder": "to-acme"}, file=("absences.csv", "employee;days\n00123;2\n")),
     lambda d: d.api("POST", f"/clients/{d.slug}/drops?folder=to-acme&name=absences.csv", "employee;days\n00123;2\n", kind="text/csv")),
    ("an OpenPGP key of ours is made",
     lambda d: d.cli("pgp", "make", d.slug),
     lambda d: d.page(f"/clients/{d.slug}/encryption", f"/clients/{d.slug}/encryption/keys", {}),
     lambda d: d.api("POST", f"/clients/{d.slug}/pgp-keys")),
    ("a partner's OpenPGP key is trusted",
     lambda d: d.cli("pgp", "partner", "add", d.slug, d.file("partner.asc", PARTNER[0]), "--name", "Partner"),
     lambda d: d.page(f"/clients/{d.slug}/encryption", f"/clients/{d.slug}/encryption/partners", {"name": "Partner"}, file=("partner.asc", PARTNER[0])),
     lambda d: d.api("POST", f"/clients/{d.slug}/pgp-partners", {"public_key": PARTNER[0], "name": "Partner"})),
    ("it is forgotten",
     lambda d: d.cli("pgp", "partner", "remove", d.slug, d.partner()),
     lambda d: d.page(f"/clients/{d.slug}/encryption", f"/clients/{d.slug}/encryption/partners/{d.partner()}/remove", {}),
     lambda d: d.api("DELETE", f"/clients/{d.slug}/pgp-partners/{d.partner()}")),
    ("a webhook is added",
     lambda d: d.cli("webhooks", "add", d.slug, "https://hr.example/rollcall", "--client", d.slug, "--on", "import.held"),
     lambda d: d.page("/server/webhooks", "/server/webhooks", {"name": d.slug, "url": "https://hr.example/rollcall", "client": d.slug, "on": ["import.held"]}),
     lambda d: d.api("POST", "/webhooks", {"name": d.slug, "url": "https://hr.example/rollcall", "client": d.slug, "on": ["import.held"]})),
    ("it is paused",
     lambda d: d.cli("webhooks", "pause", d.slug),
     lambda d: d.page("/server/webhooks", f"/server/webhooks/{d.slug}/pause", {}),
     lambda d: d.api("POST", f"/webhooks/{d.slug}/pause")),
    ("it goes on",
     lambda d: d.cli("webhooks", "resume", d.slug),
     lambda d: d.page("/server/webhooks", f"/server/webhooks/{d.slug}/resume", {}),
     lambda d: d.api("POST", f"/webhooks/{d.slug}/resume")),
    ("it is removed",
     lambda d: d.cli("webhooks", "remove", d.slug),
     lambda d: d.page("/server/webhooks", f"/server/webhooks/{d.slug}/remove", {}),
     lambda d: d.api("DELETE", f"/webhooks/{d.slug}")),
    ("a key is locked out",
     lambda d: d.cli("account", "key", "remove", d.slug, FINGERPRINT),
     lambda d: d.page(f"/accounts/{d.slug}/keys", f"/accounts/{d.slug}/keys/remove", {"fingerprint": FINGERPRINT}),
     lambda d: d.api("DELETE", f"/accounts/{d.slug}/keys/{urllib.parse.quote(FINGERPRINT, safe='')}")),
    ("the account is closed",
     lambda d: d.cli("account", "disable", d.slug),
     lambda d: d.page(f"/accounts/{d.slug}", f"/accounts/{d.slug}/disable", {}),
     lambda d: d.api("PATCH", f"/accounts/{d.slug}", {"enabled": False})),
    ("the export is removed",
     lambda d: d.cli("exports", "remove", d.slug, "directory"),
     lambda d: d.page(f"/clients/{d.slug}/exports/directory", f"/clients/{d.slug}/exports/directory/remove", {}),
     lambda d: d.api("DELETE", f"/clients/{d.slug}/exports/directory")),
    ("the account is removed",
     lambda d: d.cli("account", "remove", d.slug),
     lambda d: d.page(f"/accounts/{d.slug}/remove", f"/accounts/{d.slug}/remove", {}),
     lambda d: d.api("DELETE", f"/accounts/{d.slug}")),
]

# The public key of somebody else, made before the table is walked.
PARTNER = [""]


def mapped(door, field, codes):
    """Assigns codes on the mappings screen, which names those of recent files."""
    path = f"/clients/{door.slug}/folders/roster/mappings"
    lists = [form[2] for form in door.at_page.forms(path) if ("field", field) in form[2] and "theirs" in dict(form[2])]
    named = [value for name, value in lists[0] if name == "theirs"]
    kept = [(name, value) for name, value in lists[0] if name != "ours"]
    door.at_page.post(path, [*kept, *(("ours", codes[code]) for code in named), ("do", "assign")])


def done(before, after):
    """What a job has added (+) and taken away (-)."""
    found = []
    for table in set(before) | set(after):
        was, is_now = before.get(table, []), after.get(table, [])
        found += [f"{table}: + {row}" for row in is_now if row not in was]
        found += [f"{table}: - {row}" for row in was if row not in is_now]
    return sorted(found)


def differences(deeds):
    """What one door has done and another one not."""
    told = []
    for name, deed in deeds.items():
        others = [other for other in deeds if other != name]
        told += [f"only {name}: {line[:LINE_CHARS]}" for line in deed if any(line not in deeds[other] for other in others)]
    return "\n    ".join(told)


def compared(doors, before):
    """What each door has left behind and done. Some of it is done behind the answer, so a difference is looked at again."""
    end = time.monotonic() + SAME_S
    while True:
        after = {name: door.left_behind() for name, door in doors.items()}
        deeds = {name: done(before[name][0], after[name][0]) for name in doors}
        if not differences(deeds) or time.monotonic() > end:
            return after, deeds
        time.sleep(0.1)


def run(house, token, check):
    """Walks the table; `check(name, truth, why)` counts."""
    house.cli("admin", "add", "doors", "--role", "admin", "--password-stdin", stdin=PASSWORD)
    page = Page(f"http://{house.page}")
    page.send("/sign-in", "/sign-in", {"name": "doors", "password": PASSWORD})
    house.cli("client", "add", "stranger")
    PARTNER[0] = house.cli("pgp", "make", "stranger")["public_key"]
    doors = {name: Door(house, f"by-{name}", page, token) for name in ("cli", "page", "api")}
    before = {name: ({}, "") for name in doors}
    for job, *ways in JOBS:
        try:
            for door, way in zip(doors.values(), ways):
                way(door)
                settled(door)
            after, deeds = compared(doors, before)
        except Exception as error:  # The table goes on: later jobs tell more.
            check(f"{job}: through each door", False, f"{type(error).__name__}: {error}")
            continue
        for name, deed in deeds.items():
            check(f"{job}: it changes something", deed or before[name][1] != after[name][1], f"{name}: nothing is left behind")
        before = after
        check(f"{job}: the same through each door", not differences(deeds), differences(deeds))
