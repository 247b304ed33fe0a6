"""The same of sources: one file for many of them, and new ones. As data for test_cli.py."""
from mistakes import SOURCE, Case, swap

SHOPS = "type: files\nfor_each: %s\nname: %s\nlocation: drops\nstreams:\n  sales: {glob: '*.csv'}\n"
NEW_SOURCE = ["init", "source", "--type", "files", "--name", "stores", "--location", "drops", "--glob", "*.csv", "--stream", "sales"]


def shops(each, name="shop_$each", lists=""):
    def change(project):
        project.write("sources/shops.yaml", SHOPS % (each, name))
        if lists:
            project.write("lists/branches.csv", lists)
    return change


CASES = [
    # Many sources by one file.
    Case("for_each over nothing", ["run"], 2, [r"sources/shops.yaml:2:11: 'for_each' lists nothing", "north, south"], shops("[]")),
    Case("for_each without a name", ["run"], 2, [r"sources/shops.yaml:3:7: 'name' calls every source 'shop'", r"name: shops_\$each"], shops("[a, b]", "shop")),
    Case("for_each with one name twice", ["run"], 2, [r"sources/shops.yaml:2:15: two sources are named 'shop_a'", r"sources/shops.yaml:2:12"], shops("[a, a]")),
    Case("for_each with a name that is none", ["run"], 2, [r"sources/shops.yaml:2:12: .*'shop_A 1' is no name", "small letters"], shops("[A 1]")),
    Case("for_each with a name that is taken", ["run"], 2, ["two sources are named 'drops'", "rename"], shops("[drops]", "$each")),
    Case("for_each over a list that is not there", ["run"], 2, [r"sources/shops.yaml:2:11: .*'lists/shops.csv'", "lists/branches.csv"],
         shops("lists/shops.csv", "shop_$branch", "branch\nnorth\n")),
    Case("for_each over a line without its value", ["run"], 2, [r"lists/branches.csv:3:1: the item has no 'branch'", "sources/shops.yaml:3:7"],
         shops("lists/branches.csv", "shop_$branch", "branch,city\nnorth,Bilbao\n,Lugo\n")),
    Case("for_each over a ragged line", ["run"], 2, [r"lists/branches.csv:2:1: the line has 1 values, and the head names 2"],
         shops("lists/branches.csv", "shop_$branch", "branch,city\nnorth\n")),
    Case("for_each without such a value", ["run"], 2, [r"sources/shops.yaml:3:7: no item of 'for_each' has 'brnch'", "did you mean 'branch'"],
         shops("lists/branches.csv", "shop_$brnch", "branch\nnorth\n")),
    Case("a name of a source that is one", ["run"], 2, [SOURCE + ":2:7: a source is called as its file is", "for_each"], swap(SOURCE, "type: files", "name: x\ntype: files")),
    Case("an unknown source listed", ["sources", "drop"], 3, ["'drop'", "did you mean 'drops'"]),
    Case("a volume of nothing", ["run"], 2, [SOURCE + r":3:9: 'volume' does not say", "min: 900"], swap(SOURCE, "description: One", "volume: {}\ndescription: One")),
    Case("a freshness that is none", ["run"], 2, [SOURCE + r":3:12: 'freshness' is not a duration", "15m"], swap(SOURCE, "description: One", "freshness: daily\ndescription: One")),
    # A new source.
    Case("a source of no type", ["init", "source"], 2, ["Type of the source", "files", "--type"]),
    Case("a source of an unknown type", ["init", "source", "--type", "filez"], 2, ["'filez'", "did you mean 'files'"]),
    Case("a source without a name", ["init", "source", "--type", "files"], 2, ["--name"]),
    Case("a source with a name that is none", ["init", "source", "--type", "files", "--name", "My Shop"], 2, ["'My Shop' is no name", "another"]),
    Case("a source that is there", ["init", "source", "--type", "files", "--name", "drops"], 2, ["a source 'drops' already, in sources/drops.yaml", "another name"]),
    Case("a source without its location", ["init", "source", "--type", "files", "--name", "stores"], 2, ["location", "--location VALUE"]),
    Case("a source with another's option", NEW_SOURCE + ["--host", "db"], 2, ["type files has no option 'host'", "host_key"]),
    Case("a source that is not where it should be", ["init", "source", "--type", "files", "--name", "stores", "--location", "dorps"], 3,
         ["dorps", "nothing was written: --force"]),
    Case("a source with a secret in the open", ["init", "source", "--type", "http", "--name", "rates", "--client.base_url", "https://rates.example.com", "--client.auth.type",
                                                "bearer", "--client.auth.token", "hunter2"], 2, ["'token' is a secret", r"\$\{NAME\}"]),
    Case("a source with a secret that is not set", ["init", "source", "--type", "postgres", "--name", "erp", "--host", "127.0.0.1", "--database", "shop", "--user", "reader",
                                                    "--password", "${NOBODY_SET_THIS}"], 3, ["NOBODY_SET_THIS", "--force"]),
    Case("a stream with a name that is none", NEW_SOURCE[:-1] + ["My Sales"], 2, ["'My Sales' is no name", "--stream"]),
]
