"""What is typed or written wrong, as data for test_cli.py: each mistake gives one error that says where, what and what next."""
import os
import re
import shutil
import socket
import sqlite3

MODEL = "models/gold/daily_sales.sql"
SOURCE = "sources/drops.yaml"
SQLITE_SOURCE = "type: sqlite\ndatabase: erp.db\nstreams:\n  orders:\n    table: orders\n    write_disposition: merge\n    primary_key: id\n"
HTTP_SOURCE = """type: http
client: {base_url: "%s", allow_private: true}
streams:
  daily:
    write_disposition: merge
    primary_key: id
    endpoint: {path: v1/daily, data_selector: results}
"""


class Case:
    """`change` prepares the project and may give something to close afterwards."""

    def __init__(self, name, words, code, says, change=None, env=None, stdout=False):
        self.name, self.words, self.code, self.says = name, words, code, says
        self.change, self.env, self.stdout = change, env, stdout


def write(name, text):
    return lambda project: project.write(name, text)


def swap(name, old, new):
    return lambda project: project.swap(name, old, new)


def locked_database(project):
    project.write("sources/erp.yaml", SQLITE_SOURCE)
    database = sqlite3.connect(project.path("erp.db"), isolation_level=None)
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
    database.execute("INSERT INTO orders VALUES (1, 'apples')")
    database.execute("BEGIN EXCLUSIVE")
    return database


def no_such_table(project):
    project.write("sources/erp.yaml", SQLITE_SOURCE)
    database = sqlite3.connect(project.path("erp.db"))
    database.execute("CREATE TABLE order_lines (id INTEGER PRIMARY KEY)")
    database.close()


def closed_port(project):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    project.write("sources/rates.yaml", HTTP_SOURCE % f"http://127.0.0.1:{port}")


def open_secrets(project):
    project.write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}")
    project.write(".caudal/secrets.env", "RATES_URL=http://127.0.0.1:1\n")
    os.chmod(project.path(".caudal/secrets.env"), 0o644)


def last_log(project, table):
    folder = project.path(f"lake/{table}/_delta_log")
    return os.path.join(folder, sorted(n for n in os.listdir(folder) if re.fullmatch(r"\d{20}\.json", n))[-1])


def cut_log(project):
    path = last_log(project, "gold/daily_sales")
    os.truncate(path, os.path.getsize(path) // 2)


def missing_data_file(project):
    for at, _, files in os.walk(project.path("lake/gold/daily_sales")):
        for name in files:
            if name.endswith(".parquet"):
                return os.remove(os.path.join(at, name))
    raise AssertionError("the table has no data file")


def cycle(project):
    project.write("models/gold/a.sql", "SELECT x FROM gold.b\n")
    project.write("models/gold/b.sql", "SELECT x FROM gold.a\n")


def two_mistakes(project):
    project.swap("caudal.yaml", "defaults:", "defualts:")
    project.swap(SOURCE, "format: csv", "format: cvs")


def only_a_run_finds(project):
    project.write("sources/api.yaml", HTTP_SOURCE.replace("allow_private: true", "max_pages: 0, auth: {type: bearer}") % "http://h:99999/x")
    project.write("sources/other.yaml", HTTP_SOURCE % "ftp://h/x")
    with open(project.path(SOURCE), encoding="utf-8") as f:
        text = f.read()
    project.write(SOURCE, re.sub(r"glob: .*", 'glob: "/etc/*.csv"\n    delimiter: ";;"\n    max_files: 0', text, count=1))


def wrong_cursor(project):
    project.write("sources/erp.yaml", SQLITE_SOURCE + "    incremental: updatd_at\n")
    database = sqlite3.connect(project.path("erp.db"))
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TEXT)")
    database.close()


def file_for_state(project):
    shutil.rmtree(project.path(".caudal"))
    project.write(".caudal", "")


def secrets(text):
    def change(project):
        project.write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}")
        project.write(".caudal/secrets.env", text)
        os.chmod(project.path(".caudal/secrets.env"), 0o600)
    return change


def log_gap(project):
    first = last_log(project, "gold/daily_sales")
    os.rename(first, first.replace("0.json", "2.json"))


def newer_log(project):
    path = os.path.relpath(last_log(project, "gold/daily_sales"), project.folder)
    project.swap(path, '"minReaderVersion":1', '"minReaderVersion":9')


def short_data_file(project):
    for at, _, files in os.walk(project.path("lake/gold/daily_sales")):
        for name in files:
            if name.endswith(".parquet"):
                return os.truncate(os.path.join(at, name), 100)
    raise AssertionError("the table has no data file")


def link(target, name):
    return lambda project: os.symlink(target, project.path(name))


def both(first, second):
    return lambda project: (first(project), second(project))[1]


def base_url(url):
    return write("sources/rates.yaml", HTTP_SOURCE.replace(", allow_private: true", "") % url)


def aliases(project):
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"] + [f"{b}: &{b} [" + ",".join([f"*{a}"] * 9) + "]" for a, b in zip("abcdef", "bcdefg")]
    project.write("caudal.yaml", "\n".join(lines) + "\nname: x\n")


NEW_DROP = "drops/sales-2026-01-03.csv"
HEAD = "sale_id,sold_on,product,quantity,price\n"

def swap_in_log(table, old, new):
    def change(project):
        path = os.path.join(os.path.dirname(last_log(project, table)), "0" * 20 + ".json")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert old in text, text
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
    return change


def data_files(project, table):
    folder = project.path("lake/" + table)
    return [os.path.join(d, n) for d, _, names in os.walk(folder) for n in names if n.endswith(".parquet")]


def spoiled_data_file(project):
    for path in data_files(project, "gold/daily_sales"):
        with open(path, "r+b") as f:
            f.seek(-12, os.SEEK_END)
            f.write(b"\xff" * 4)


def raw_objects(project):
    folder = project.path("lake/raw")
    return sorted(os.path.join(d, n) for d, _, names in os.walk(folder) for n in names if n.endswith(".zst"))


def flip(path):
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))


def forget_digests(project):
    """The log as versions wrote it that noted none."""
    for table in ("drops/sales", "gold/daily_sales"):
        path = last_log(project, table)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert "caudal.sha256" in text, text
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r'"caudal.sha256":"[0-9a-f]{64}",', "", text))


CASES = [
    # What is typed.
    Case("unknown verb", ["rnu"], 2, ["there is no verb 'rnu'", "did you mean 'run'"]),
    Case("unknown option", ["run", "--full-refesh"], 2, ["--full-refesh", "did you mean '--full-refresh'", "caudal run --help"]),
    Case("unknown output", ["show", "--output", "xml"], 2, ["--output", "json"]),
    Case("csv of another verb", ["show", "--output", "csv"], 2, ["--output", "sql"]),
    Case("one word too many", ["validate", "everything"], 2, ["'everything'", "caudal validate --help"]),
    Case("an option without its value", ["show", "drops.sales", "--rows"], 2, ["--rows", "caudal show --help"]),
    Case("a number below zero", ["show", "drops.sales", "--rows=-3"], 2, ["--rows", "-3"]),
    Case("no condition", ["why", "gold.daily_sales"], 2, ["--where", "caudal why --help"]),
    Case("unknown shell", ["completion", "fish"], 2, ["fish", "bash"]),
    Case("unknown template", ["init", "other", "--template", "big"], 2, ["big", "files"]),
    Case("no subject", ["show", "--rejects"], 2, ["no table is named", "caudal show"]),
    Case("a day that is none", ["backfill", "gold.daily_sales", "--start", "2026-02-30"], 2, ["--start", "2026-02-30"]),
    Case("an empty interval", ["backfill", "gold.daily_sales", "--start", "2026-02-02", "--end", "2026-02-01"], 2,
         ["2026-02-02 is not before 2026-02-01"]),
    Case("a backfill of nothing", ["backfill", "gold.daily_sales"], 2, ["--from-raw", "--start"]),
    Case("rejects of a model", ["retry", "--rejects", "gold.daily_sales"], 2, ["is a model: its rows are computed", "caudal run -s gold.daily_sales --full-refresh"]),
    Case("rejects of no table", ["retry", "--rejects", "drops.sale"], 3, ["'drops.sale'", "did you mean 'drops.sales'"]),
    Case("a condition on no rejects", ["retry", "--where", "true"], 2, ["--where", "--rejects"]),
    Case("a run and rejects", ["retry", "20990101T000000-abcdef", "--rejects", "drops.sales"], 2, ["--rejects"]),
    Case("a model from raw", ["backfill", "gold.daily_sales", "--from-raw"], 2, ["is a model", "--full-refresh"]),
    # Names and paths.
    Case("no such project folder", ["validate", "--project", "nowhere"], 3, ["no folder .*nowhere", "caudal init nowhere"]),
    Case("a folder that is no project", ["run", "--project", "drops"], 3, ["no caudal.yaml in .*drops"]),
    Case("a folder that is not empty", ["init", "."], 2, ["is not empty: it holds", "caudal init shop"]),
    Case("a project below a file", ["init", "caudal.yaml/x"], 2, ["caudal.yaml"]),
    Case("no such query file", ["sql", "-f", "nowhere.sql"], 3, ["nowhere.sql"]),
    Case("an empty query", ["sql", " ; "], 2, ["there is no query", "caudal sql"]),
    Case("a query twice", ["sql", "SELECT 1", "-f", "q.sql"], 2, ["-f", "one of the two"]),
    Case("unknown pipeline", ["run", "dialy"], 3, ["no pipeline is called 'dialy'", "did you mean 'daily'"]),
    Case("a table for a pipeline", ["run", "gold.daily_sales"], 3, ["caudal run -s gold.daily_sales"]),
    Case("unknown selection", ["run", "-s", "gold.daily_slaes"], 3, ["gold.daily_slaes", "gold.daily_sales"]),
    Case("unknown table", ["show", "drops.sale"], 3, ["'drops.sale'", "did you mean 'drops.sales'"]),
    Case("unknown table's history", ["history", "gold.weekly_sales"], 3, ["'gold.weekly_sales'"]),
    Case("unknown run", ["retry", "20990101T000000-abcdef"], 3, ["20990101T000000-abcdef", "caudal history"]),
    Case("nothing to retry", ["retry"], 3, ["no failed or interrupted run", "caudal run"]),
    Case("unknown source", ["connection", "test", "drop"], 3, ["'drop'", "did you mean 'drops'"]),
    Case("unknown unit test", ["test", "gold.weekly_sales"], 3, ["gold.weekly_sales"]),
    Case("a stream rendered", ["render", "drops.sales"], 2, [SOURCE, "has no SQL"]),
    # SQL.
    Case("no SQL", ["sql", "SELEC 1"], 2, [r"query:1:\d+"]),
    Case("a table that is not there", ["sql", "SELECT * FROM gold.daily_slaes"], 3, ["gold.daily_slaes|daily_slaes", "daily_sales"]),
    Case("a column that is not there", ["sql", "SELECT\n  revenu FROM gold.daily_sales"], 2, ["query:2:3", "revenu", "revenue"]),
    Case("a statement that writes", ["sql", "CREATE TABLE x AS SELECT 1"], 2, ["SELECT"]),
    Case("two statements", ["sql", "SELECT 1; SELECT 2"], 2, ["one|SELECT"]),
    Case("a file outside the lake", ["sql", "SELECT * FROM read_csv('/etc/passwd')"], 2, ["read_csv|/etc/passwd"]),
    Case("a condition with a mistake", ["why", "gold.daily_sales", "--where", "revenu > 1"], 2, ["--where", "revenu"]),
    # Project files.
    Case("no YAML", ["run"], 2, [r"caudal.yaml:\d+:\d+"], write("caudal.yaml", "name: [shop\nlake: x\n")),
    Case("bytes that are no text", ["run"], 2, ["caudal.yaml", "UTF-8"], write("caudal.yaml", b"name: sh\xffop\n")),
    Case("an unknown word", ["run"], 2, [SOURCE + r":3:1", "descripton", "did you mean 'description'"], swap(SOURCE, "description:", "descripton:")),
    Case("a contract of no known word", ["run"], 2, [SOURCE + r":3:18: 'schema_contract' cannot be 'freez'", "did you mean 'freeze'"],
         swap(SOURCE, "description:", "schema_contract: freez\ndescription:")),
    Case("a contract for no part", ["run"], 2, [SOURCE + r":3:19", "unknown word 'column' in 'schema_contract'", "did you mean 'columns'"],
         swap(SOURCE, "description:", "schema_contract: {column: freeze}\ndescription:")),
    Case("a contract that leaves tables out", ["run"], 2, [SOURCE + r":3:27: 'tables' cannot be 'discard_row'", "each stream is named in its file", "write evolve, or freeze"],
         swap(SOURCE, "description:", "schema_contract: {tables: discard_row}\ndescription:")),
    Case("a limit of rejects that is none", ["run"], 2, [r"caudal.yaml:\d+:\d+: 'rejects_above' should be a number of rows or a percentage, not 'some'", "write 100, or 1%"],
         swap("caudal.yaml", "defaults:", "alerts: {channels: {ops: {type: webhook, url: 'http://h/x'}}, rules: [{on: rejects, rejects_above: some, to: ops}]}\ndefaults:")),
    Case("an unknown connector", ["run"], 2, [SOURCE + ":2:", "filez", "files"], swap(SOURCE, "type: files", "type: filez")),
    Case("an unknown column type", ["run"], 2, [SOURCE + r":\d+:", "BIGNIT"], swap(SOURCE, "BIGINT, checks: [not_null]", "BIGNIT, checks: [not_null]")),
    Case("an unknown check", ["run"], 2, [MODEL + r":\d+:", "not_nul", "not_null"], swap(MODEL, "[not_null]", "[not_nul]")),
    Case("a check without its argument", ["run"], 2, [SOURCE + r":\d+:", "min"], swap(SOURCE, "[{min: 1}]", "[min]")),
    Case("an unknown severity", ["run"], 2, [SOURCE + r":\d+:", "shout", "warn"], swap(SOURCE, "{min: 1}", "{min: 1, severity: shout}")),
    Case("a duration that is none", ["run"], 2, [r"caudal.yaml:\d+:", "5 minutes", "m"], swap("caudal.yaml", "[5m, 15m, 60m]", "[5 minutes]")),
    Case("a schedule that is none", ["run"], 2, [r"pipelines/daily.yaml:\d+:"], swap("pipelines/daily.yaml", "0 5 * * *", "0 25 * * *")),
    Case("a pipeline of nothing", ["run"], 2, [r"pipelines/daily.yaml:\d+:", "gold.daily_slaes", "gold.daily_sales"],
         write("pipelines/daily.yaml", "run: [gold.daily_slaes]\n")),
    Case("a test of nothing", ["run"], 2, [r"tests/daily_sales.yaml:\d+:", "gold.daily_sale"],
         swap("tests/daily_sales.yaml", "model: gold.daily_sales", "model: gold.daily_sale")),
    Case("a lake outside the project", ["run"], 2, [r"caudal.yaml:\d+:", r"\.\./lake"], swap("caudal.yaml", "lake: lake", "lake: ../lake")),
    Case("a model with no SQL", ["run"], 2, [MODEL + ":"], swap(MODEL, "SELECT\n", "SELEC\n")),
    Case("a model's unknown column", ["run"], 2, [MODEL + r":\d+:\d+", "quantty", "quantity"], swap(MODEL, "sum(quantity) AS", "sum(quantty) AS")),
    Case("a model's unknown table", ["run"], 2, [MODEL + r":\d+:\d+", "drops.sale", "drops.sales"], swap(MODEL, "FROM drops.sales", "FROM drops.sale")),
    Case("dbt's templates", ["run"], 2, [MODEL + r":\d+:\d+", "drops.sales"], swap(MODEL, "FROM drops.sales", "FROM {{ ref('sales') }}")),
    Case("models in a circle", ["run"], 2, [r"models/gold/[ab].sql", "gold.a", "gold.b"], cycle),
    Case("what only a run found", ["validate"], 2,
         [r"sources/api.yaml:2:\d+: error.*port.*'99999'", r"sources/api.yaml:2:\d+: error.*max_pages.*at least 1", r"sources/api.yaml:2:\d+: error.*bearer.*token",
          r"sources/other.yaml:2:\d+: error.*'ftp://'.*http", SOURCE + r":\d+:\d+: error.*delimiter.*';;'", SOURCE + r":\d+:\d+: error.*max_files.*at least 1.*'0'",
          SOURCE + r":\d+:\d+: error.*glob.*root", "7 errors"], only_a_run_finds, stdout=True),
    Case("two ways to name rows", ["validate"], 2, [r"sources/erp.yaml:\d+:\d+: error.*'query' and 'table'", "next|take one"],
         write("sources/erp.yaml", SQLITE_SOURCE + "    query: SELECT 1\n"), stdout=True),
    Case("all mistakes at once", ["validate"], 2, [r"caudal.yaml:\d+:\d+: error.*defualts", SOURCE + r":\d+:\d+: error.*cvs", "2 errors"],
         two_mistakes, stdout=True),
    # What a run meets.
    Case("a file cut inside a row", ["run", "--no-retry"], 1, ["sales-2026-01-03.csv", r"(row|line) \d", "caudal retry"],
         write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n7,2026-01-"), stdout=True),
    Case("an open quote", ["run", "--no-retry"], 1, ["sales-2026-01-03.csv", "caudal retry"],
         write(NEW_DROP, HEAD + '6,2026-01-03,"apples,1,1.00\n'), stdout=True),
    Case("rows that break a check", ["run", "--no-retry"], 1, ["drops.sales", "quantity", "-4", "gold.daily_sales.*waits for drops.sales"],
         write(NEW_DROP, HEAD + "6,2026-01-03,apples,-4,1.00\n"), stdout=True),
    Case("a locked database", ["run", "-s", "source:erp", "--no-retry"], 5, ["erp.orders", "locked"], locked_database, stdout=True),
    Case("no database", ["run", "-s", "source:erp", "--no-retry"], 3, ["erp.orders", "erp.db"], write("sources/erp.yaml", SQLITE_SOURCE), stdout=True),
    Case("no table in the database", ["run", "-s", "source:erp", "--no-retry"], 3, ["erp.orders", "'orders'|orders"], no_such_table, stdout=True),
    Case("no database at all", ["run", "-s", "source:erp", "--no-retry"], 1, ["erp.orders", "erp.db"],
         lambda p: (p.write("sources/erp.yaml", SQLITE_SOURCE), p.write("erp.db", "no database\n" * 200))[0], stdout=True),
    Case("nobody listens", ["run", "-s", "source:rates", "--no-retry"], 5, ["rates.daily", "127.0.0.1"], closed_port, stdout=True),
    Case("a secret that is not set", ["run", "-s", "source:rates", "--no-retry"], 3, ["RATES_URL", "sources/rates.yaml", "export RATES_URL"],
         write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}"), stdout=True),
    Case("secrets that others can read", ["run", "-s", "source:rates", "--no-retry"], 4, ["secrets.env", "chmod 600"], open_secrets, stdout=True),
    Case("a lake's log that was cut", ["sql", "SELECT * FROM gold.daily_sales"], 7, [r"gold\.daily_sales: .*0{20}\.json", "restore gold/daily_sales/_delta_log/0{20}.json", "caudal doctor"], cut_log),
    Case("a data file that is gone", ["doctor"], 7, ["gold.daily_sales", r"\.parquet", "next:"], missing_data_file, stdout=True),
    Case("a state store that is none", ["history"], 7, ["state.db"], write(".caudal/state.db", "this is no database\n" * 500)),
    # Names and numbers, once more.
    Case("no rows asked for", ["sql", "SELECT 1", "--max-rows", "0"], 2, ["--max-rows", "1 to 1000000", "caudal sql --help"]),
    Case("a number that no machine holds", ["history", "--limit", "99999999999999999999"], 2, ["--limit", "caudal history --help"]),
    Case("half a selector", ["run", "-s", "+"], 2, [r"not a selector: '\+'", "source:erp"]),
    Case("a selection in another alphabet", ["run", "-s", "ventas_añ😀"], 3, ["ventas_añ😀", "there are: drops.sales"]),
    Case("a rollback to no version", ["rollback", "gold.daily_sales", "--to", "99"], 3, ["no version 99", "caudal history gold.daily_sales"]),
    Case("a rollback to where it is", ["rollback", "gold.daily_sales", "--to", "0"], 2, ["at version 0 already"]),
    Case("a rollback to neither version nor time", ["rollback", "gold.daily_sales", "--to", "yesterday"], 2, ["'yesterday' is no version, no savepoint and no time"]),
    Case("a rollback to before the table", ["rollback", "gold.daily_sales", "--to", "2001-01-01"], 2, ["did not exist at 2001-01-01"]),
    Case("a rollback of no table", ["rollback", "gold.nope", "--to", "0"], 3, ["gold.nope"]),
    Case("a rollback to nowhere", ["rollback", "gold.daily_sales"], 2, ["--to"]),
    Case("a rebuild of no table", ["backfill", "drops.nope", "--from-raw"], 3, ["'drops.nope'", "caudal show"]),
    Case("a condition that closes its bracket", ["why", "gold.daily_sales", "--where", "1=1) UNION SELECT * FROM read_text('/etc/passwd') --"], 2,
         ["--where", "condition"]),
    # Project files, once more.
    Case("an empty project file", ["run"], 2, ["caudal.yaml:1:1", "no name", "name: shop"], write("caudal.yaml", "# nothing yet\n")),
    Case("a list for a project", ["run"], 2, ["caudal.yaml:1:1", "should be a map"], write("caudal.yaml", "- name: shop\n")),
    Case("two documents", ["run"], 2, ["caudal.yaml:2:1", "second document", "---"], write("caudal.yaml", "name: x\n---\nname: y\n")),
    Case("a control character", ["run"], 2, ["caudal.yaml:1:9", "control character"], write("caudal.yaml", b"name: sh\0op\n")),
    Case("UTF-16", ["run"], 2, ["caudal.yaml", "save it as UTF-8"], write("caudal.yaml", "name: shop\n".encode("utf-16"))),
    Case("a word written twice", ["run"], 2, ["caudal.yaml:2:1", "'name' is written twice", "line 1"], write("caudal.yaml", "name: a\nname: b\n")),
    Case("a tab", ["run"], 2, ["caudal.yaml:3:1", "tab", "blanks"], write("caudal.yaml", "name: shop\ndefaults:\n\tretries: [5m]\n")),
    Case("aliases of aliases", ["run"], 2, [r"caudal.yaml:\d:\d+", "200,000 values", "write less"], aliases),
    Case("ten thousand levels", ["run"], 2, ["caudal.yaml:1:", "64 levels"], write("caudal.yaml", "name: " + "[" * 10000 + "\n")),
    Case("slots that no machine has", ["run"], 2, ["caudal.yaml:2:17", "1 to 256", "9{20}"], write("caudal.yaml", "name: shop\nlimits: {slots: " + "9" * 20 + "}\n")),
    Case("too little memory", ["run"], 2, ["caudal.yaml:2:18", "too little", "128MB"], write("caudal.yaml", "name: shop\nlimits: {memory: 1KB}\n")),
    Case("memory below zero", ["run"], 2, ["caudal.yaml:2:18", "-1GB", "such as 1GB"], write("caudal.yaml", "name: shop\nlimits: {memory: -1GB}\n")),
    Case("a bucket of two letters", ["run"], 2, ["caudal.yaml:2:7", "no place on S3", "3 to 63", "s3://bucket/prefix"], write("caudal.yaml", "name: shop\nlake: s3://by/x\n")),
    Case("keys in the lake's place", ["run"], 2, ["caudal.yaml:2:7", r"s3://\*\*\*@lake/x", "s3://bucket/prefix"], write("caudal.yaml", "name: shop\nlake: s3://key:secret@lake/x\n")),
    Case("a model of nothing", ["run"], 2, ["models/gold/x.sql:1:1", "no SELECT"], write("models/gold/x.sql", "/* caudal:\nowner: x\n*/\n")),
    Case("an open header", ["run"], 2, ["models/gold/x.sql:1:1", "header is not closed", r"\*/"], write("models/gold/x.sql", "/* caudal:\nowner: x\nSELECT 1 AS a\n")),
    Case("a name in capitals", ["run"], 2, ["models/gold/Weekly.sql", "small letters", "rename the file"], write("models/gold/Weekly.sql", "SELECT 1 AS a\n")),
    Case("a model without a schema", ["run"], 2, ["models/x.sql", "models/<schema>/<name>.sql"], write("models/x.sql", "SELECT 1 AS a\n")),
    Case("a reserved schema", ["run"], 2, ["models/main/a.sql", "'main' is reserved", "rename the folder"], write("models/main/a.sql", "SELECT 1 AS a\n")),
    Case("a column without a name", ["run"], 2, [r"models/gold/a.sql:1:\d+", r"\(1 \+ 1\)", "AS"], write("models/gold/a.sql", "SELECT 1+1\n")),
    Case("a model of two statements", ["run"], 2, ["models/gold/a.sql:1:", "SELECT"], write("models/gold/a.sql", "SELECT 1 AS a; DROP TABLE x\n")),
    Case("a model that reads the machine", ["run"], 2, ["models/gold/a.sql:1:15", "/etc/passwd"], write("models/gold/a.sql", "SELECT * FROM read_text('/etc/passwd')\n")),
    Case("a link to no model", ["run"], 2, ["models/gold/a.sql", "No such file"], link("/nowhere.sql", "models/gold/a.sql")),
    Case("a merge without a key", ["run"], 2, [SOURCE + r":9:\d+", "without a key", "primary_key: id"], swap(SOURCE, "disposition: append", "disposition: merge")),
    Case("a location above the project", ["run"], 2, [SOURCE + r":4:\d+", r"\.\./\.\.", "absolute path"], swap(SOURCE, "location: drops", "location: ../..")),
    Case("an open bracket in a pattern", ["run"], 2, [SOURCE + r":13:\d+", "pattern", r"write \\\["],
         swap(SOURCE, "product:   {type: VARCHAR}", "product:   {type: VARCHAR, checks: [{pattern: '['}]}")),
    Case("a partner that nobody makes", ["run"], 2, [SOURCE + r":13:\d+", "relationships", "gold.none", "gold.daily_sales"],
         swap(SOURCE, "product:   {type: VARCHAR}", "product:   {type: VARCHAR, checks: [{relationships: {to: gold.none, field: x}}]}")),
    Case("an expression that goes on", ["run"], 2, [MODEL + r":8:\d+", "expression", "bracket"],
         swap(MODEL, "- {unique: [sold_on, product]}", '- {expression: "1=1); DROP TABLE x; --"}')),
    Case("a time zone that is none", ["run"], 2, ["pipelines/daily.yaml:1:12", "Europe/Madird", "Europe/Madrid"], write("pipelines/daily.yaml", "time_zone: Europe/Madird\n")),
    Case("a deadline that is a number", ["run"], 2, ["pipelines/daily.yaml:1:11", "09:00"], write("pipelines/daily.yaml", "deadline: 9\n")),
    Case("a test of a column that is not there", ["test"], 2, [r"tests/daily_sales.yaml:9:\d+", "quantty", "did you mean 'quantity'"],
         swap("tests/daily_sales.yaml", "quantity: 3, revenue", "quantty: 3, revenue")),
    # Addresses and secrets.
    Case("a file for an API", ["run"], 2, [r"sources/rates.yaml:2:\d+", "file:///etc/", "https://host/path"], base_url("file:///etc/")),
    Case("an address without a scheme", ["run"], 2, [r"sources/rates.yaml:2:\d+", "api.example.com/v1", "https://host/path"], base_url("api.example.com/v1")),
    Case("credentials in an address", ["run"], 2, [r"sources/rates.yaml:2:\d+: 'base_url' holds credentials", r"\$\{NAME\}"], base_url("http://ali:baba@h/x")),
    Case("the cloud's own address", ["run", "-s", "source:rates", "--no-retry"], 4, ["169.254.169.254", "private or local", "allow_private"],
         base_url("http://169.254.169.254/latest"), stdout=True),
    Case("this machine as a number", ["run", "-s", "source:rates", "--no-retry"], 4, ["private or local", "allow_private"], base_url("http://2130706433/"), stdout=True),
    # Files.
    Case("a file of no byte", ["run", "--no-retry"], 1, [NEW_DROP[6:] + " is empty", "ask for the whole file"], write(NEW_DROP, ""), stdout=True),
    Case("a file in UTF-16", ["run", "--no-retry"], 1, [NEW_DROP[6:] + " is UTF-16", "exported as UTF-8"], write(NEW_DROP, HEAD.encode("utf-16")), stdout=True),
    Case("an archive that is called CSV", ["run", "--no-retry"], 1, [NEW_DROP[6:] + " is no CSV", "format"], write(NEW_DROP, b"PK\x03\x04" + b"\0" * 100), stdout=True),
    Case("a column twice in a header", ["run", "--no-retry"], 1, [NEW_DROP[6:], "sale_id twice"], write(NEW_DROP, HEAD.replace("sold_on", "sale_id") + "6,7,x,1,1.00\n"),
         stdout=True),
    Case("a checksum of another file", ["run", "--no-retry"], 1, [NEW_DROP[6:], r"\.sha256", "ask for the file again"],
         both(write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n"), write(NEW_DROP + ".sha256", "0" * 64 + "  x\n")), stdout=True),
    Case("a link out of the drops", ["run", "--no-retry"], 4, [NEW_DROP[6:], "leads out of the location", "take the link away"], link("/etc/passwd", NEW_DROP), stdout=True),
    Case("a folder that is a file", ["run", "--no-retry"], 1, ["location is no folder", "glob"], swap(SOURCE, "location: drops", "location: caudal.yaml"), stdout=True),
    Case("a database that is a folder", ["run", "-s", "source:erp", "--no-retry"], 1, ["erp.db", "is no file", "database:"],
         both(write("sources/erp.yaml", SQLITE_SOURCE), lambda project: os.makedirs(project.path("erp.db"))), stdout=True),
    Case("a partition column that is not there", ["run", "--no-retry"], 1, ["'sold_no'", "drops.sales", "did you mean 'sold_on'"],
         both(write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n"), swap(SOURCE, "disposition: append", "disposition: append\n    partition_by: sold_no")), stdout=True),
    # The lake, damaged.
    Case("a log with a gap", ["sql", "SELECT 1 FROM gold.daily_sales"], 7, ["gold.daily_sales: a log entry is missing", "restore .*0{20}.json", "caudal doctor"], log_gap),
    Case("a log of a newer reader", ["show", "gold.daily_sales"], 2, ["gold.daily_sales", "reader version 9"], newer_log),
    Case("a data file that is too short", ["doctor"], 7, ["gold.daily_sales", "has 100 bytes, the log says", "next: restore"], short_data_file, stdout=True),
    Case("raw objects that are gone", ["backfill", "drops.sales", "--from-raw"], 3, ["raw/drops/sales/", "restore it from a copy"],
         lambda project: shutil.rmtree(project.path("lake/raw")), stdout=True),
    Case("a data file of rubbish", ["sql", "SELECT * FROM gold.daily_sales"], 7, ["caudal doctor"], spoiled_data_file),
    Case("a log with a feature of tomorrow", ["run"], 1, ["drops.sales", "feature .*: rowTracking", "the version of Caudal that wrote it"],
         both(write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n"), swap_in_log("drops/sales", '"appendOnly"', '"rowTracking","appendOnly"')), stdout=True),
    # What was typed on the way to a run.
    Case("an empty selector", ["run", "-s", ""], 2, ["a selector is empty", "tag:x"]),
    Case("everything left out", ["run", "--exclude", "*"], 2, ["nothing is left of the selection", "exclude less"]),
    Case("an interval of a source's table", ["backfill", "drops.sales", "--start", "2026-01-01"], 2, ["drops.sales is a source's table", "--from-raw"]),
    Case("a model that is not UTF-8", ["run"], 2, ["models/gold/a.sql:2:1", "not UTF-8", "save it as UTF-8"], write("models/gold/a.sql", b"SELECT\n'\xff' AS a\n")),
    Case("a model with two columns of one name", ["run"], 2, ["models/gold/a.sql:1:1", "two columns named 'x'", "AS"], write("models/gold/a.sql", "SELECT 1 AS x, 2 AS x\n")),
    Case("a cast that fails in a run", ["run", "--no-retry"], 1, ["models/gold/a.sql:1:1: .*Conversion Error", "caudal render gold.a"],
         write("models/gold/a.sql", "SELECT CAST(product AS BIGINT) AS n FROM drops.sales\n"), stdout=True),
    Case("a partition with too long a name", ["run", "--no-retry"], 1, ["File name too long", "255 bytes"],
         write("models/gold/a.sql", "/* caudal:\nmaterialize: {table: true, partition_by: p}\n*/\nSELECT repeat('x', 300) AS p, 1 AS y\n"), stdout=True),
    # A next step for each.
    Case("a model whose SQL breaks off", ["run"], 2, ["models/gold/a.sql:1:", "syntax error", "next: correct the SQL at this place"], write("models/gold/a.sql", "SELECT 1 +\n")),
    Case("a model that inserts", ["run"], 2, ["models/gold/a.sql:1:1", "only a SELECT", "next: write one SELECT"], write("models/gold/a.sql", "INSERT INTO x VALUES (1)\n")),
    Case("a query that inserts", ["sql", "INSERT INTO x VALUES (1)"], 2, ["query:1:1: only a SELECT", "next: write one SELECT"]),
    Case("a query that breaks off", ["sql", "SELECT 1 +"], 2, ["query:1:", "syntax error", "next: correct the SQL"]),
    Case("a parameter of no type", ["sql", "SELECT $x"], 2, [r"the type of \$x is not clear", r"next: write \$x::VARCHAR"]),
    Case("the engine's list of tables", ["sql", "SHOW TABLES"], 2, ["SHOW lists what the engine holds", "next: `caudal show` lists the tables"]),
    Case("a query of no table", ["sql", "SELECT * FROM gold.daily_sale"], 3, [r"query:1:15: no table is published as gold.daily_sale\n", "did you mean 'gold.daily_sales'"]),
    Case("a query of the engine's table", ["sql", "FROM sqlite_master"], 3, ["no table is published as sqlite_master", "caudal show"]),
    Case("a query of a table that waits", ["sql", "FROM gold.later"], 3, ["gold.later was never built", r"caudal run -s \+gold.later"],
         write("models/gold/later.sql", "SELECT 1 AS a\n")),
    Case("no such column of a query", ["sql", "SELECT quantty FROM gold.daily_sales"], 2, ["query:1:8: .*quantty.*\n", "did you mean 'quantity'"]),
    Case("no such location", ["run", "--no-retry"], 3, [SOURCE + r":\d+:\d+: cannot open the location: No such file", "next: correct `location:` of the source, or create the folder"],
         swap(SOURCE, "location: drops", "location: dropz"), stdout=True),
    Case("a lake that is a file", ["run"], 2, [r"caudal.yaml:3:7: the lake should be a folder, and there is a file: .*/README", "next: move the file away"],
         both(write("README", "x"), swap("caudal.yaml", "lake: lake", "lake: README"))),
    Case("a lake that leads nowhere", ["validate"], 2, [r"caudal.yaml:3:7: error: the lake is a link that leads nowhere: .* -> /nowhere", "next: create the folder behind it"],
         both(link("/nowhere", "elsewhere"), swap("caudal.yaml", "lake: lake", "lake: elsewhere")), stdout=True),
    Case("a cursor that is no column", ["run", "-s", "source:erp", "--no-retry"], 3, [r"sources/erp.yaml:\d+:\d+: the stream orders has no column 'updatd_at', which `incremental:` names",
         'next: did you mean one of .*"updated_at"'], wrong_cursor, stdout=True),
    Case("keys compared without a merge", ["validate"], 2, [r"sources/erp.yaml:\d+:\d+: error: 'compare_keys' deletes rows by their key, so the stream 'orders' must merge", "next: write write_disposition: merge"],
         write("sources/erp.yaml", SQLITE_SOURCE.replace("merge", "append") + "    incremental: {cursor: id, compare_keys: 1d}\n"), stdout=True),
    Case("a database of no byte", ["run", "-s", "source:erp", "--no-retry"], 1, ["erp.db", "the database file is empty", "next: correct `database:`"],
         both(write("sources/erp.yaml", SQLITE_SOURCE), write("erp.db", "")), stdout=True),
    Case("an API that is not there", ["run", "-s", "source:rates", "--no-retry"], 5, ["127.0.0.1", "next: check that the server runs"], closed_port, stdout=True),
    # Bytes that changed.
    Case("a flipped byte in a data file", ["doctor", "--deep"], 7, [r"gold.daily_sales  data file gold/daily_sales/.*\.parquet is not the one that was committed \(SHA-256 differs\)",
         "next: restore it from a copy, or rebuild: caudal run -s gold.daily_sales --full-refresh"], lambda project: flip(data_files(project, "gold/daily_sales")[0]), stdout=True),
    Case("a flipped byte in a raw object", ["doctor", "--deep"], 7, [r"drops.sales  raw object raw/drops/sales/.*\.zst", "next: restore it from a copy: a rebuild from raw would fail", "1 finding"],
         lambda project: flip(raw_objects(project)[0]), stdout=True),
    Case("a raw object of another content", ["doctor", "--deep"], 7, [r"drops.sales  .*\(SHA-256 differs\): raw/drops/sales/", "1 finding"],
         lambda project: shutil.copy(*raw_objects(project)), stdout=True),
    Case("a raw object that was cut", ["doctor", "--deep"], 7, [r"drops.sales  raw object raw/drops/sales/.*\.zst", "1 finding"],
         lambda project: os.truncate(raw_objects(project)[0], os.path.getsize(raw_objects(project)[0]) // 2), stdout=True),
    Case("bytes that nobody noted", ["doctor", "--deep"], 0, ["2 raw objects, every byte as it was written"], forget_digests, stdout=True),
    Case("values that the statistics deny", ["doctor", "--deep"], 7, ["drops.sales  data file drops/sales/.*holds other values than the log's statistics say"],
         both(forget_digests, swap_in_log("drops/sales", r'\"sale_id\":5', r'\"sale_id\":4')), stdout=True),
    Case("rows that nobody noted", ["doctor", "--deep"], 7, ["drops.sales  data file drops/sales/.*has 5 rows, the log says 6"],
         both(forget_digests, swap_in_log("drops/sales", r'\"numRecords\":5', r'\"numRecords\":6')), stdout=True),
    Case("a data file that nobody can decode", ["doctor", "--deep"], 7, ["gold.daily_sales  data file gold/daily_sales/.*cannot be read"], both(forget_digests, spoiled_data_file),
         stdout=True),
    # Advice that fits.
    Case("a file for the state's folder", ["run"], 2, [r"a file stands where the folder of the state store should be: .*/\.caudal\n", "next: move it away"], file_for_state),
    Case("a file for a project", ["run", "--project", "caudal.yaml"], 2, ["--project: --project takes the project's folder, and this is a file", "next: give the folder: --project /"]),
    Case("a folder of secrets", ["run", "-s", "source:rates", "--no-retry"], 1, [r"\.caudal/secrets.env: .*is no file", "next: put the secrets into a file"],
         both(write("sources/rates.yaml", HTTP_SOURCE % "${RATES_URL}"), lambda project: os.makedirs(project.path(".caudal/secrets.env"))), stdout=True),
    Case("a secret without its name", ["run", "-s", "source:rates", "--no-retry"], 1, [r"\.caudal/secrets.env:2:1: this line holds no '='", "next: write NAME=value"],
         secrets("A=1\nhttp://127.0.0.1:1\n"), stdout=True),
    Case("a secret with a name of two words", ["run", "-s", "source:rates", "--no-retry"], 1, [r"\.caudal/secrets.env:1:1: this line begins with no name"],
         secrets("export RATES_URL=x\n"), stdout=True),
    Case("an empty secret", ["run", "-s", "source:rates", "--no-retry"], 3, [r"\$\{RATES_URL\} for client.base_url, which is empty", "export RATES_URL"],
         secrets("RATES_URL=\n"), env={"RATES_URL": ""}, stdout=True),
    Case("an intent that is none", ["run", "--no-retry"], 1, ["the intent drops/sales/.hoodie/.temp/x.intent.json is not valid JSON: line 1, byte 9", "next: move it away"],
         both(write(NEW_DROP, HEAD + "6,2026-01-03,apples,1,1.00\n"), write("lake/drops/sales/.hoodie/.temp/x.intent.json", '{"txid":}')), stdout=True),
    Case("a schema of our own", ["validate"], 2, ["models/caudal_lake: error|models/caudal_lake/a.sql: error: the schema 'caudal_lake' is reserved for Caudal's own data", "next: rename the folder"],
         write("models/caudal_lake/a.sql", "SELECT 1 AS a\n"), stdout=True),
    Case("a file of another table", ["run", "--no-retry"], 1, [NEW_DROP[6:] + r" has no column of drops.sales: it has city, people; the table has sale_id, sold_on, product, quantity, price",
         "next: take the file out of the location"], write(NEW_DROP, "city,people\nMadrid,3\n"), stdout=True),
]
