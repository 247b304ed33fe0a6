// One table of bad inputs, each with the exact lines that `validate` prints.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "project/project_fixture.h"

namespace caudal {
namespace {

struct BadCase {
  const char* path;
  const char* text;
  const char* problem;  // all of them, one a line
};

// A good project around one bad file.
std::string ProblemsWith(const std::string& path, const std::string& text) {
  Files files = {{"caudal.yaml", std::string(kConfig) + "parameters: {floor: 1}\n"},
                 {"sources/shop_files.yaml", kSource},
                 {"models/silver/orders.sql", "SELECT 1 --gives id BIGINT, day DATE, amount DOUBLE, country VARCHAR\nFROM shop_files.lines"}};
  files[path] = text;
  Folder folder(files);
  return Joined(Load(folder, Published()));
}

void Expect(const std::vector<BadCase>& cases) {
  for (const BadCase& c : cases) EXPECT_EQ(ProblemsWith(c.path, c.text), c.problem) << c.path << "\n" << c.text;
}

TEST(Load, BadConfig) {
  Expect({
      {"caudal.yaml", "nam: shop\n", "caudal.yaml:1:1: the project has no name; write name: shop\n"
                                     "caudal.yaml:1:1: unknown word 'nam' in caudal.yaml; did you mean 'name'?"},
      {"caudal.yaml", "name: My Shop\n", "caudal.yaml:1:7: the project's name 'My Shop' is no name; use small letters, digits and _, and begin with a letter"},
      {"caudal.yaml", "name: shop\nname: x\n", "caudal.yaml:2:1: 'name' is written twice (first in line 1); keep one of them"},
      {"caudal.yaml", "name: shop\nlake: s3://b/p\n", "caudal.yaml:2:7: 'lake' is no place on S3: 's3://b/p': a bucket's name has 3 to 63 small letters, digits, dots and hyphens; write s3://bucket/prefix"},
      {"caudal.yaml", "name: shop\nlake: s3://key:secret@lake/p\n", "caudal.yaml:2:7: 'lake' is no place on S3: 's3://***@lake/p': a bucket's name has 3 to 63 small letters, digits, dots and hyphens; write s3://bucket/prefix"},
      {"caudal.yaml", "name: shop\nlake: ../out\n", "caudal.yaml:2:7: 'lake' is no folder below the project: '../out'; write a folder below the project, such as lake, or file:///absolute/path, or s3://bucket/prefix"},
      {"caudal.yaml", "name: shop\nlake: file://x\n", "caudal.yaml:2:7: 'lake' is no absolute file URL: 'file://x'; write a folder below the project, such as lake, or file:///absolute/path, or s3://bucket/prefix"},
      {"caudal.yaml", "name: shop\ndefaults: {retries: [5 minutes]}\n", "caudal.yaml:2:22: 'retries' is not a duration: '5 minutes'; write a number and a unit of ms, s, m, h, d, such as 15m or 48h"},
      {"caudal.yaml", "name: shop\nlimits: {memory: lots, slots: 0}\n",
       "caudal.yaml:2:18: 'memory' is not a size: 'lots'; write a number and a unit of KB, MB, GB, TB, KiB, MiB, GiB, TiB, such as 1GB\n"
       "caudal.yaml:2:31: 'slots' should be a whole number from 1 to 256, not '0'"},
      {"caudal.yaml", "name: shop\nlimits: {memory: 1MB}\n", "caudal.yaml:2:18: 'memory' is too little for a worker: 1000000 bytes; give at least 128MB"},
      {"caudal.yaml", "name: shop\nretention: {reader_grace: 5m}\n",
       "caudal.yaml:2:12: 'retention' does not say which versions go; write {older_than: 30d}, {keep_versions: 10}, or both; {} keeps all"},
      {"caudal.yaml", "name: shop\nretention: {keep_versions: 0}\n", "caudal.yaml:2:28: 'keep_versions' should be a whole number from 1 to 1000000, not '0'"},
      {"caudal.yaml", "name: shop\ndefaults: {schema_contract: {columns: freez, tables: discard_row, weather: freeze}}\n",
       "caudal.yaml:2:39: 'columns' cannot be 'freez'; did you mean 'freeze'?\n"
       "caudal.yaml:2:54: 'tables' cannot be 'discard_row': each stream is named in its file, so there is no table to leave out; write evolve, or freeze; leave the stream out where its table is not wanted\n"
       "caudal.yaml:2:67: unknown word 'weather' in 'schema_contract'; there are: tables, columns, data_type"},
      {"caudal.yaml", "name: shop\ndefaults: {schema_contract: [freeze]}\n",
       "caudal.yaml:2:29: 'schema_contract' should be a word or a map, not a list; write freeze, or {columns: freeze, data_type: discard_row}"},
      {"caudal.yaml", "name: shop\nformats: [delta, iceberg, delt]\n", "caudal.yaml:2:10: unknown format 'delt'; did you mean 'delta'?"},
      {"caudal.yaml", "name: shop\nformats: {default: [hudi], nowhere: delta}\n",
       "caudal.yaml:2:20: 'formats' leaves out delta, whose log is the table's truth: the others are made from it; add delta to the list\n"
       "caudal.yaml:2:28: no table is in 'nowhere'; there are: shop_files, silver"},
      {"caudal.yaml", "name: shop\nparameters: {start: 1, Big: 2, n: {type: INT, value: x}}\n",
       "caudal.yaml:2:14: the parameter 'start' is given by the interval of a run; choose another name\n"
       "caudal.yaml:2:24: the parameter 'Big' is no name; use small letters, digits and _, and begin with a letter\n"
       "caudal.yaml:2:54: 'x' is no INTEGER; change the value, or the parameter's type"},
      {"caudal.yaml", "name: shop\nenvironments: {dev: {}}\n", "caudal.yaml:2:1: 'environments' is not there yet; take it out"},
      {"caudal.yaml", "name: [shop\n", "caudal.yaml:2:1: a '[' without its ']'; close it, or put a comma between the items"},
      {"caudal.yaml", "- name\n", "caudal.yaml:1:1: caudal.yaml should be a map of words and values, not a list; write 'word: value', one a line, indented below it"},
  });
}

TEST(Load, BadSource) {
  const char* path = "sources/shop_files.yaml";
  Expect({
      {path, "type: file\nlocation: d\nstreams: {lines: {}}\n", "sources/shop_files.yaml:1:7: unknown connector 'file'; did you mean 'files'?"},
      {path, "location: d\nstreams: {lines: {}}\n", "sources/shop_files.yaml:1:1: a source needs 'type', its connector; there are: files, http"},
      {path, "type: files\nstreams: {lines: {}}\n", "sources/shop_files.yaml:1:1: a source of type files needs 'location'; the folder of the files"},
      {path, "type: files\nlocation: d\nstream: {lines: {}}\n",
       "sources/shop_files.yaml:1:1: a source needs 'streams'; write streams: {<name>: {...}}\n"
       "sources/shop_files.yaml:3:1: unknown word 'stream' in a source of type files; did you mean 'streams'?"},
      {path, "type: files\nlocation: ../../etc\nstreams: {lines: {}}\n", "sources/shop_files.yaml:2:11: 'location' leads out of the project folder: '../../etc'; write an absolute path"},
      {path, "type: files\nlocation: d\nstreams: {lines: {globb: x}}\n", "sources/shop_files.yaml:3:19: unknown word 'globb' in the stream 'lines'; did you mean 'glob'?"},
      {path, "type: files\nlocation: d\nstreams: {lines: {format: csvv}}\n", "sources/shop_files.yaml:3:27: 'format' cannot be 'csvv'; did you mean 'csv'?"},
      {path, "type: files\nlocation: d\nstreams: {lines: {chunk: big}}\n", "sources/shop_files.yaml:3:26: 'chunk' is not a size: 'big'; write a number and a unit, such as 64MB"},
      {path, "type: files\nlocation: d\nstreams: {lines: {header: 7, skip: x}}\n",
       "sources/shop_files.yaml:3:27: 'header' should be true or false, not '7'\n"
       "sources/shop_files.yaml:3:36: 'skip' should be a whole number, not 'x'"},
      {path, "type: files\nlocation: d\nstreams: {lines: {glob: /etc/*, skip: -1}}\n",
       "sources/shop_files.yaml:3:25: 'glob' begins at the root: '/etc/*'; write it below the location, such as \"*.csv\"\n"
       "sources/shop_files.yaml:3:39: 'skip' should be at least 0, not '-1'"},
      {path, "type: files\nlocation: d\nstreams: {lines: {glob: a/../*.csv}}\n", "sources/shop_files.yaml:3:25: 'glob' holds '..': 'a/../*.csv'; write it below the location, and change the location where the files lie elsewhere"},
      {path, "type: files\nlocation: d\nstreams: {lines: {settle: 5}}\n", "sources/shop_files.yaml:3:27: 'settle' is not a duration: '5'; write a number and a unit of ms, s, m, h, d, such as 15m or 48h"},
      {path, "type: files\nlocation: d\nstreams: {lines: {write_disposition: overwrite}}\n", "sources/shop_files.yaml:3:38: 'write_disposition' cannot be 'overwrite'; there are: append, replace, merge"},
      {path, "type: files\nlocation: d\nstreams: {lines: {write_disposition: merge}}\n", "sources/shop_files.yaml:3:38: the stream 'lines' merges without a key; write primary_key: id"},
      {path, "type: files\nlocation: d\nstreams: {lines: {incremental: {cursor: id}}}\n", "sources/shop_files.yaml:3:32: the connector files does not take 'incremental'; take it out"},
      {path, "type: files\nlocation: d\nmax_parallel: 0\nstreams: {lines: {}}\n", "sources/shop_files.yaml:3:15: 'max_parallel' should be a whole number from 1 to 64, not '0'"},
      {path, "type: files\nlocation: d\nstreams: {lines: {}, Odd-Name: {}}\n", "sources/shop_files.yaml:3:22: the stream 'Odd-Name' is no name: use small letters, digits and _, and begin with a letter; rename it"},
      {path, "type: files\nlocation: d\nstreams: {lines: {}, lines__rejects: {}}\n", "sources/shop_files.yaml:3:22: the stream 'lines__rejects' ends in __rejects, which is reserved for rejected rows; rename it"},
      {path, "type: files\nlocation: d\nstreams: {lines: {columns: {id: {type: BIGG}}}}\n", "sources/shop_files.yaml:3:40: not a column type: 'BIGG': 'BIGG' is not a type that every open table format holds; types are BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), VARCHAR, BLOB, DATE, TIMESTAMPTZ, T[], STRUCT(name T, ...), MAP(VARCHAR, T)"},
      {path, "type: files\nlocation: d\nstreams: {lines: {columns: {id: {}, ID: {}}}}\n", "sources/shop_files.yaml:3:37: the column 'ID' is written twice (first in line 3); keep one of them"},
      {path, "type: files\nlocation: d\nstreams: {lines: {columns: {amuont: {checks: [not_null]}}}}\n", "warning: sources/shop_files.yaml:3:29: shop_files.lines has no column 'amuont' yet; did you mean 'amount'?"},
      {path, "type: files\nlocation: d\nstreams: [lines]\n", "sources/shop_files.yaml:3:10: 'streams' should be a map, not a list; write streams: {<name>: {...}}"},
      {path, "type: files\nlocation: d\nstreams:\n\tlines: {}\n", "sources/shop_files.yaml:4:1: a tab in the indentation; indent with blanks"},
      {"sources/Api.yaml", "type: files\n", "sources/Api.yaml: the name 'Api' is no name: use small letters, digits and _, and begin with a letter; rename the file"},
      {"sources/caudal.yaml", "type: files\n", "sources/caudal.yaml: the name 'caudal' is reserved for Caudal's own data; rename the file"},
      {"sources/api.yml", "type: files\n", "sources/api.yml: the name ends in .yml; rename it to api.yaml"},
      {"sources/api.yaml", "type: http\nclient: {base_url: shop.example}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:20: 'base_url' is no URL: 'shop.example'; write it as https://host/path"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'ftp://h/x'}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:20: 'base_url' begins with 'ftp://', and only http or https can be asked; write it as https://host/path"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'http://[::1]:99999/x'}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:20: 'base_url' has a port that is none: '99999'; write a port from 1 to 65535, or leave it out"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://me:pw@h/x'}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:20: 'base_url' holds credentials; take them out of the URL, and write them as ${NAME} in the options for them"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h', token: abc}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:40: 'token' is a secret and must not stand in the project; write ${NAME}, and set NAME in the environment or in the secret file"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h', headers: {auth: 'Bearer ${T}'}}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:49: 'headers' mixes text and a secret; write the whole value as ${NAME}"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h', token: '${no-name}'}\nstreams: {a: {primary_key: id}}\n", "sources/api.yaml:2:40: 'token' names a secret that is no name: 'no-name'; use letters, digits and _"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h'}\nstreams: {a: {}}\n", "sources/api.yaml:3:14: the stream 'a' appends without a key, and http may give rows twice; write primary_key: id, or write_disposition: replace"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h'}\nstreams: {a: {write_disposition: replace, incremental: t}}\n", "sources/api.yaml:3:56: the stream 'a' is replaced as a whole and cannot be incremental; write write_disposition: merge or append, or take 'incremental' out"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h'}\nstreams: {a: {primary_key: id, write_disposition: merge, incremental: {cursor: t, compare_keys: 1d}}}\n", "sources/api.yaml:3:97: the connector http cannot give all keys of a stream; take 'compare_keys' out"},
      {"sources/api.yaml", "type: http\nclient: {base_url: 'https://h'}\nstreams: {a: {primary_key: id, incremental: {lag: 5m}}}\n", "sources/api.yaml:3:45: 'incremental' needs 'cursor', the column that grows; write {cursor: updated_at}"},
      {"sources/silver.yaml", "type: files\nlocation: d\nstreams: {orders: {}}\n", "models/silver/orders.sql:1:1: the table silver.orders is made twice (also by sources/silver.yaml:3:11); rename one of them"},
  });
}

TEST(Load, BadModel) {
  const char* path = "models/gold/sales.sql";
  const std::string from = "SELECT 1 --gives id BIGINT, day DATE, amount DOUBLE, country VARCHAR\nFROM silver.orders";
  struct Case {
    std::string header;
    const char* problem;
  };
  const std::vector<Case> kCases = {
      {"matrialize: table", "models/gold/sales.sql:2:1: unknown word 'matrialize' in the header of a model; did you mean 'materialize'?"},
      {"materialize: incremental", "models/gold/sales.sql:2:14: 'incremental' does not say how; write {incremental: append}, merge or partitions"},
      {"materialize: tabel", "models/gold/sales.sql:2:14: 'materialize' cannot be 'tabel'; did you mean 'table'?"},
      {"materialize: {incremental: mrege, key: id}", "models/gold/sales.sql:2:28: 'incremental' cannot be 'mrege'; did you mean 'merge'?\n"
                                                     "models/gold/sales.sql:2:40: 'key' is for {incremental: merge}; take it out, or write {snapshot: <key>} for a history"},
      {"materialize: {incremental: merge}", "models/gold/sales.sql:2:14: 'incremental: merge' needs 'key'; write key: order_id"},
      {"materialize: {incremental: partitions}", "models/gold/sales.sql:2:14: 'incremental: partitions' needs 'partition_by'; write partition_by: order_date"},
      {"materialize: {incremental: partitions, partition_by: [day, country]}", "models/gold/sales.sql:2:54: 'incremental: partitions' takes one partition column; keep the one by which rows arrive"},
      {"materialize: {incremental: append, late: 48h}", "models/gold/sales.sql:2:42: 'late' needs 'partition_by'; name the partition column, or take 'late' out"},
      {"materialize: {incremental: partitions, partition_by: day, late: two days}", "models/gold/sales.sql:2:65: 'late' is not a duration: 'two days'; write a number and a unit of ms, s, m, h, d, such as 15m or 48h"},
      {"materialize: {table: true, view: true}", "models/gold/sales.sql:2:14: 'materialize' names more than one kind; keep one of table, view, incremental, snapshot"},
      {"materialize: {partition_by: day}", "models/gold/sales.sql:2:14: 'materialize' names no kind; there are: table, view, incremental, snapshot"},
      {"materialize: {view: true, partition_by: day}", "models/gold/sales.sql:2:41: a view has no partitions; write materialize: {table: true, partition_by: ...}"},
      {"materialize: {table: true, partition_by: dya}", "models/gold/sales.sql:2:42: 'partition_by' names 'dya', which the SELECT does not give; did you mean 'day'?"},
      {"materialize: {incremental: merge, key: [id, nr]}", "models/gold/sales.sql:2:40: 'key' names 'nr', which the SELECT does not give; there are: id, day, amount, country"},
      {"materialize: {snapshot: ids}", "models/gold/sales.sql:2:25: 'key' names 'ids', which the SELECT does not give; did you mean 'id'?"},
      {"time: at", "models/gold/sales.sql:2:7: 'time' names 'at', which the SELECT does not give; there are: id, day, amount, country"},
      {"inputs: {silver.order: {on_change: full}}", "models/gold/sales.sql:2:10: the model does not read 'silver.order'; did you mean 'silver.orders'?"},
      {"inputs: {silver.orders: {on_change: maybe}}", "models/gold/sales.sql:2:37: 'on_change' cannot be 'maybe'; there are: full, ignore"},
      {"inputs: {silver.orders: {on_change: as_of}}", "models/gold/sales.sql:2:37: 'on_change: as_of' is not there yet; make a history of that input ({snapshot: key}), join it by valid_from and valid_to, and write on_change: ignore"},
      {"time: day", "warning: models/gold/sales.sql:2:7: 'time' says nothing here: the SQL names neither $start nor $end; take it out, or write WHERE day >= $start AND day < $end"},
      {"columns: {amuont: {checks: [not_null]}}", "models/gold/sales.sql:2:11: the SELECT gives no column 'amuont'; did you mean 'amount'?"},
      {"columns: {amount: {type: DOUBLE}}", "models/gold/sales.sql:2:26: 'type' is given by the SELECT; cast the column there"},
      {"columns: {amount: {checks: not_null}}", "models/gold/sales.sql:2:28: 'checks' should be a list, not a value; write [not_null, {min: 0}]"},
      {"columns: {country: {checks: [{min: 3}]}}", "models/gold/sales.sql:2:31: min: the column is VARCHAR: cast it to a number; change the check, or the column's type"},
      {"columns: {day: {checks: [{min: yesterday}]}}", "models/gold/sales.sql:2:27: min: 'yesterday' is no date or time, and the column is DATE; change the check, or the column's type"},
      {"columns: {id: {checks: [{length: 3}]}}", "models/gold/sales.sql:2:26: length: a column of type BIGINT has no length; change the check, or the column's type"},
      {"columns: {id: {checks: [{relationships: {to: silver.order, field: id}}]}}", "models/gold/sales.sql:2:26: relationships: nothing makes the table silver.order; did you mean 'silver.orders'?"},
      {"columns: {id: {checks: [{relationships: {to: silver.orders, field: idd}}]}}", "models/gold/sales.sql:2:26: relationships: silver.orders has no column 'idd'; did you mean 'id'?"},
      {"checks: [{unique: [id, nr]}]", "models/gold/sales.sql:2:11: gold.sales has no column 'nr'; there are: id, day, amount, country"},
      {"checks: [{expression: 'no_such > 1'}]", "models/gold/sales.sql:2:11: expression: Referenced column \"no_such\" not found; did you mean 'nosuch'?"},
      {"checks: [{expression: 'amount > $flor'}]", "models/gold/sales.sql:2:11: expression: unknown parameter $flor; did you mean 'floor'?"},
      {"checks: [{sql: SELECT * FROM gold.nothing}]", "models/gold/sales.sql:2:11: sql: nothing makes the table gold.nothing; there are: gold.sales, shop_files.lines, silver.orders"},
      {"tags: {a: b}", "models/gold/sales.sql:2:7: 'tags' should be a value or a list of values, not a map; write [one, two]"},
      {"owner: a: b", "models/gold/sales.sql:2:9: the header: a ':' where no key can stand; put a value that holds ': ' in quotes"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(ProblemsWith(path, "/* caudal:\n" + c.header + "\n*/\n" + from), c.problem) << c.header;
  }
}

TEST(Load, BadSql) {
  const char* path = "models/gold/sales.sql";
  Expect({
      {path, "", "models/gold/sales.sql:1:1: the model has no SELECT; write one below the header"},
      {path, "/* caudal:\nowner: x\nSELECT 1", "models/gold/sales.sql:1:1: the header is not closed; end it with */\n"
                                               "models/gold/sales.sql:1:1: the model has no SELECT; write one below the header"},
      {path, "SELECT 1 --gives a INT\n/* caudal: {owner: x} */", "models/gold/sales.sql:2:1: the header does not stand first; move '/* caudal: ... */' to the top of the file"},
      {path, "/* caudal: {owner: x} */ SELECT a\n  FROM silver.ordres", "models/gold/sales.sql:2:8: nothing makes the table silver.ordres; did you mean 'silver.orders'?"},
      {path, "SELECT a FROM orders", "models/gold/sales.sql:1:15: the table orders is named without its schema; did you mean 'silver.orders'?"},
      {path, "-- ü\nSELECT 'ü', bad --problem parser@19 syntax error at \"bad\"", "models/gold/sales.sql:2:13: syntax error at \"bad\"; correct the SQL at this place; names that are also words of SQL stand in double quotes"},
      {path, "/* caudal:\nowner: x\n*/\n\nSELECT x --problem binder@7 column x not found!\nFROM silver.orders", "models/gold/sales.sql:5:8: column x not found; correct the SQL at this place"},
      {path, "SELECT * FROM gold.sales", "models/gold/sales.sql:1:15: the model gold.sales reads itself; read what it is made of"},
      {path, "SELECT * FROM {{ ref('orders') }}", "models/gold/sales.sql:1:15: a template of dbt: {{ ref('orders') }}; write silver.orders"},
      {path, "SELECT * FROM {{ source('shop_files', 'line') }} JOIN {{ref(\"order\")}}",
       "models/gold/sales.sql:1:15: a template of dbt: {{ source('shop_files', 'line') }}; write shop_files.lines\n"
       "models/gold/sales.sql:1:55: a template of dbt: {{ref(\"order\")}}; write silver.orders"},
      {path, "{% if is_incremental() %}\nSELECT 1\n{% endif %}\n{{ config(materialized='table') }}",
       "models/gold/sales.sql:1:1: a template of dbt: {% if is_incremental() %}; take it out: Caudal knows which rows are new, and has no template language\n"
       "models/gold/sales.sql:3:1: a template of dbt: {% endif %}; take it out: Caudal knows which rows are new, and has no template language\n"
       "models/gold/sales.sql:4:1: a template of dbt: {{ config(materialized='table') }}; write it in the header: /* caudal: materialize: ... */"},
      {path, "SELECT '{{ ref(x) }}' --gives a VARCHAR", ""},
      {path, "SELECT $flor --gives a INT", "models/gold/sales.sql:1:8: unknown parameter $flor; did you mean 'floor'?"},
      {path, "SELECT 1 --gives a INT\nWHERE d >= $start", "models/gold/sales.sql:2:12: $start needs the header to say 'time'; write time: <the column that an interval selects>"},
      {path, "/* caudal: {time: d} */\nSELECT 1 --gives d DATE\nWHERE d >= $start", "models/gold/sales.sql:1:19: $start and $end are for incremental models: this one is built as a whole; write materialize: {incremental: partitions, partition_by: d}"},
      {path, "/* caudal: {time: d, materialize: {incremental: append}} */\nSELECT 1 --gives d VARCHAR\nWHERE d >= $start", "models/gold/sales.sql:1:19: 'time' names 'd', which is VARCHAR, not DATE or TIMESTAMPTZ; name a column that is one of them, or cast it"},
      {path, "/* caudal: {time: d, materialize: {incremental: partitions, partition_by: k}} */\nSELECT 1 --gives d DATE, k DATE\nWHERE d < $end", "models/gold/sales.sql:1:19: by interval, 'incremental: partitions' replaces days: 'partition_by' and 'time' are one DATE column; write partition_by: <day> and time: <day>, or use {incremental: merge, key: ...}"},
      {path, "/* caudal: {time: d, materialize: {incremental: partitions, partition_by: d}} */\nSELECT 1 --gives d DATE\nWHERE d < $end", ""},
      {path, "SELECT 1 --gives a INT, A DATE", "models/gold/sales.sql:1:1: the SELECT gives two columns named 'A'; name one of them with AS"},
      {path, "SELECT 1 --gives count_star() BIGINT", "models/gold/sales.sql:1:1: the SELECT gives a column without a name: count_star(); name it with AS"},
      {"models/Gold/x.sql", "SELECT 1", "models/Gold/x.sql: the schema 'Gold' is no name: use small letters, digits and _, and begin with a letter; rename the folder"},
      {"models/raw/x.sql", "SELECT 1", "models/raw/x.sql: the schema 'raw' is reserved for Caudal's own data; rename the folder"},
      {"models/main/x.sql", "SELECT 1", "models/main/x.sql: the schema 'main' is reserved by the engine; rename the folder"},
      {"models/x.sql", "SELECT 1", "models/x.sql: lies in no schema; models stand at models/<schema>/<name>.sql"},
      {"models/a/b/x.sql", "SELECT 1", "models/a/b/x.sql: lies too deep; models stand at models/<schema>/<name>.sql"},
      {"models/gold/x__rejects.sql", "SELECT 1", "models/gold/x__rejects.sql: the name 'x__rejects' ends in __rejects, which is reserved for rejected rows; rename the file"},
      {"models/gold/schema.yml", "version: 2", "warning: models/gold/schema.yml: the file is not read; what it says of a model goes into the model's header"},
  });
}

TEST(Load, BadAlerts) {
  const std::string head = "name: shop\nalerts:\n  channels:\n";
  const auto bad = [](const std::string& text, const std::string& problem) { EXPECT_EQ(ProblemsWith("caudal.yaml", text.c_str()), problem) << text; };
  bad(head + "    ops: {type: slak}\n", "caudal.yaml:4:17: no channel has the type 'slak'; did you mean 'slack'?");
  bad(head + "    ops: {type: slack, url: https://hooks.example.com/T0}\n", "caudal.yaml:4:29: 'url' is a secret and stands as plain text; write ${NAME}, and the value into the environment or .caudal/secrets.env");
  bad(head + "    ops: {type: webhook}\n", "caudal.yaml:4:10: the channel needs 'url'; write url: ${NAME}");
  bad(head + "    ops: {type: webhook, url: ftp://x}\n", "caudal.yaml:4:31: 'url' is no http URL; begin it with https://");
  bad(head + "    ops: {type: webhook, url: https://me:pw@example.com/}\n", "caudal.yaml:4:31: 'url' has credentials in it; write the whole URL as ${NAME}");
  bad(head + "    ops: {type: webhook, url: https://a.example, secret: plain}\n", "caudal.yaml:4:58: 'secret' is a secret and stands as plain text; write ${NAME}, and the value into the environment or .caudal/secrets.env");
  bad(head + "    ops: {type: smtp, host: h, from: a@b.c, to: nobody}\n", "caudal.yaml:4:10: an smtp channel needs 'to', a list of mail addresses; write to: [ops@example.com]");
  bad(head + "    ops: {type: smtp, host: h, from: a@b.c, to: d@e.f, user: u}\n", "caudal.yaml:4:10: a login needs 'user' and 'password'; write both, or neither");
  bad(head + "    ops: {type: smtp, host: h, from: a@b.c, to: d@e.f, tls: none, user: u, password: \"${P}\"}\n", "caudal.yaml:4:10: a password would cross the network in the clear: 'tls' is none; write tls: starttls, or leave user and password out");
  bad("name: shop\nalerts:\n  rules:\n    - {on: failed}\n", "caudal.yaml:4:7: a rule needs 'to', a list of channels; write to: [ops]");
  bad(head + "    ops: {type: webhook, url: https://a.example}\n  rules:\n    - {on: fialed, to: ops}\n", "caudal.yaml:6:12: nothing is told of 'fialed'; did you mean 'failed'?");
  bad(head + "    ops: {type: webhook, url: https://a.example}\n  rules:\n    - {to: opss}\n", "caudal.yaml:6:12: no channel is called 'opss'; did you mean 'ops'?");
  bad(head + "    ops: {type: webhook, url: https://a.example}\n  rules:\n    - {pipelines: dayly, to: ops}\n", "caudal.yaml:6:7: no pipeline is called 'dayly'");
}

TEST(Load, BadPipelinesAndTests) {
  Expect({
      {"pipelines/daily.yaml", "schedule: 0 25 * * *\n", "pipelines/daily.yaml:1:11: 'schedule' has '25' as its hour (0 to 23); write minute hour day month weekday, such as \"0 5 * * *\""},
      {"pipelines/daily.yaml", "schedule: every day\n", "pipelines/daily.yaml:1:11: 'schedule' is no interval: 'every day'; write every 15m, at least every 1s, or minute hour day month weekday, such as \"0 5 * * *\""},
      {"pipelines/daily.yaml", "schedule: at noon\n", "pipelines/daily.yaml:1:11: 'schedule' has 2 fields, not 5; write minute hour day month weekday, such as \"0 5 * * *\""},
      {"pipelines/daily.yaml", "schedule: 0 0 30 2 *\n", "pipelines/daily.yaml:1:11: 'schedule' never comes: '0 0 30 2 *'; name a day that its months have"},
      {"pipelines/daily.yaml", "schedule: '@daily'\non_dst: twice\n", "pipelines/daily.yaml:2:9: 'on_dst' cannot be 'twice'; there are: skip, first, both"},
      {"pipelines/daily.yaml", "on_dst: both\n", "pipelines/daily.yaml:1:9: 'on_dst' without a schedule; write a schedule, or take it out"},
      {"pipelines/daily.yaml", "catch_up: lasst\n", "pipelines/daily.yaml:1:11: 'catch_up' cannot be 'lasst'; did you mean 'last'?"},
      {"pipelines/daily.yaml", "max_active: 2\n", "pipelines/daily.yaml:1:13: 'max_active' above 1 is not there yet; write 1: a pipeline's runs come one after the other"},
      {"pipelines/daily.yaml", "after: [nightly]\n", "pipelines/daily.yaml:1:9: no pipeline is called 'nightly'; there are: daily"},
      {"pipelines/daily.yaml", "after: daily\n", "pipelines/daily.yaml:1:8: the pipeline 'daily' would wait for itself; take one of the `after` out"},
      {"pipelines/daily.yaml", "deadline: 9 am\n", "pipelines/daily.yaml:1:11: 'deadline' is no time of day: '9 am'; write \"09:00\""},
      {"pipelines/daily.yaml", "time_zone: Mars/Olympus;\n", "pipelines/daily.yaml:1:12: 'time_zone' is no name of the time zone database: 'Mars/Olympus;'; write one such as Europe/Madrid or UTC"},
      {"pipelines/daily.yaml", "run: ['+silver.ordesr', silver.orders]\n", "pipelines/daily.yaml:1:7: nothing is selected by the name 'silver.ordesr'; did you mean 'silver.orders'?"},
      {"pipelines/daily.yaml", "run: tagg:x\n", "pipelines/daily.yaml:1:6: unknown selector method 'tagg'; did you mean 'tag'?"},
      {"pipelines/daily.yaml", "shedule: '0 5 * * *'\n", "pipelines/daily.yaml:1:1: unknown word 'shedule' in a pipeline; did you mean 'schedule'?"},
      {"pipelines/daily.yaml", "notifications: {}\n", "pipelines/daily.yaml:1:1: 'notifications' is not there yet; write rules below `alerts:` in caudal.yaml"},
      {"tests/t.yaml", "model: silver.order\nexpect: []\n", "tests/t.yaml:1:8: there is no model 'silver.order'; did you mean 'silver.orders'?"},
      {"tests/t.yaml", "expect: []\n", "tests/t.yaml:1:1: a test needs 'model'; write model: gold.daily_sales"},
      {"tests/t.yaml", "model: silver.orders\n", "tests/t.yaml:1:1: a test needs 'expect', the rows of the result; write expect: [] for none"},
      {"tests/t.yaml", "model: silver.orders\nexpect: [{idd: 1}]\n", "tests/t.yaml:2:11: silver.orders has no column 'idd'; did you mean 'id'?"},
      {"tests/t.yaml", "model: silver.orders\ngiven: {shop_files.line: []}\nexpect: []\n", "tests/t.yaml:2:9: the model silver.orders does not read 'shop_files.line'; did you mean 'shop_files.lines'?"},
      {"tests/t.yaml", "model: silver.orders\ngiven: {shop_files.lines: [{amnt: 1}]}\nexpect: []\n", "tests/t.yaml:2:29: shop_files.lines has no column 'amnt'; did you mean 'amount'?"},
      {"tests/t.yaml", "model: silver.orders\nexpect: {id: 1}\n", "tests/t.yaml:2:9: 'expect' should be a list of rows, not a map; write [{id: 1}, {id: 2}]"},
      {"tests/t.yaml", "model: silver.orders\nexpect: []\nparameters: {flor: 1}\n", "tests/t.yaml:1:1: unknown parameter 'flor'; did you mean 'floor'?"},
      {"tests/t.yaml", "- {name: a, model: silver.orders, expect: []}\n- {name: a, model: silver.orders, expect: []}\n", "tests/t.yaml:2:3: two tests are named 'a' (also tests/t.yaml:1:3); rename one of them"},
      {"model/x.sql", "SELECT 1", "warning: model: the folder 'model' is not read; did you mean 'models'?"},
      {"topics/x.yaml", "a: 1", "warning: topics: the folder 'topics' is not read yet; leave it, or move it away: it changes nothing"},
      {"README.md", "hello", ""},
  });
}

}  // namespace
}  // namespace caudal
