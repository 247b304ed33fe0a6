// `caudal init source`: asks or takes options, tries the connection, shows ten rows, writes sources/NAME.yaml.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/new_file.h"
#include "app/questions.h"
#include "app/source_draft.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "base/yaml.h"
#include "flow/inspect.h"
#include "flow/preview.h"
#include "project/source_file.h"

namespace caudal {
namespace {

constexpr std::int64_t kRows = 10;

Error Wrong(std::string message, std::string next) { return Error{ErrorKind::kInvalidArgument, std::move(message), std::move(next), ""}; }

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    word.erase(0, word.find_first_not_of(' '));
    while (!word.empty() && word.back() == ' ') word.pop_back();
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

/// A stream with what was seen of it.
struct Shown {
  std::string stream;
  std::optional<Preview> preview;
};

class SourceMaker {
 public:
  SourceMaker(const Workspace& workspace, const InitSourceOptions& given, const Questions& questions, const Console& console,
              const CancelFlag& cancel)
      : x_workspace(workspace), x_given(given), x_questions(questions), x_console(console), x_cancel(cancel) {}

  Status Make() {
    TRY(ChooseType());
    TRY(ChooseName());
    x_draft.owner = x_given.owner;
    x_draft.description = x_given.description;
    x_draft.freshness = x_given.freshness;
    TRY(TakeOptions());
    TRY(AskOptions(x_spec->options, "", x_draft.options));
    TRY(Connect());
    TRY(ChooseStreams());
    TRY_ASSIGN(const SourceConfig source, Parsed());
    TRY(Look(source));
    return WriteNewFile(std::filesystem::path(x_workspace.project.folder) / File(), YamlOf(x_draft, *x_spec));
  }

  const SourceDraft& draft() const { return x_draft; }
  const std::vector<Shown>& shown() const { return x_shown; }
  const std::optional<Error>& refused() const { return x_refused; }
  std::string File() const { return "sources/" + x_draft.name + ".yaml"; }
  std::string Text() const { return YamlOf(x_draft, *x_spec); }

 private:
  Status ChooseType() {
    std::vector<std::string> types;
    for (const ConnectorSpec& spec : x_workspace.connectors) types.push_back(spec.name);
    x_draft.type = x_given.type;
    if (x_draft.type.empty()) {
      TRY_ASSIGN(x_draft.type, x_questions.Ask({"Type of the source", "--type", "", true, types}));
    }
    for (const ConnectorSpec& spec : x_workspace.connectors) {
      if (spec.name == x_draft.type) x_spec = &spec;
    }
    if (x_spec != nullptr) return {};
    return Wrong("there is no type of source '" + x_draft.type + "'", DidYouMean(x_draft.type, types));
  }

  Status ChooseName() {
    x_draft.name = x_given.name;
    if (x_draft.name.empty()) {
      TRY_ASSIGN(x_draft.name, x_questions.Ask({"Name of the source, the first part of its tables' names", "--name", "", true, {}}));
    }
    if (const std::string why = WhyNoSchemaName(x_draft.name); !why.empty()) return Wrong("the name '" + x_draft.name + "' " + why, "choose another one");
    std::error_code error;
    const bool there = std::filesystem::exists(std::filesystem::path(x_workspace.project.folder) / File(), error);
    const std::vector<SourceConfig>& sources = x_workspace.project.sources;
    const auto same = std::find_if(sources.begin(), sources.end(), [&](const SourceConfig& s) { return s.name == x_draft.name; });
    if (!there && same == sources.end()) return {};
    return Error{ErrorKind::kAlreadyExists, "there is a source '" + x_draft.name + "' already, in " + (there ? File() : same->place.file),
                 "choose another name, or edit that file", ""};
  }

  /// What was typed as --NAME VALUE goes to the source or to its streams, as the spec says.
  Status TakeOptions() {
    std::vector<std::string> names;
    const auto has = [&](const std::vector<OptionSpec>& specs, const std::string& path) {
      const std::vector<OptionPath> paths = OptionPathsOf(specs);
      for (const OptionPath& option : paths) names.push_back(option.path);
      return std::any_of(paths.begin(), paths.end(), [&](const OptionPath& option) { return option.path == path; });
    };
    for (const auto& [path, value] : x_given.options) {
      names.clear();
      if (has(x_spec->options, path)) {
        x_draft.options[path] = value;
      } else if (has(x_spec->stream_options, path)) {
        x_stream_options[path] = value;
      } else {
        return Wrong("a source of type " + x_spec->name + " has no option '" + path + "'", DidYouMean(path, names));
      }
    }
    return {};
  }

  /// A choice by which a secret is needed, such as the kind of credentials.
  static bool BringsSecret(const OptionSpec& spec, const std::vector<OptionSpec>& siblings) {
    return std::any_of(spec.needs.begin(), spec.needs.end(), [&](const auto& choice) {
      return std::any_of(siblings.begin(), siblings.end(), [&](const OptionSpec& other) {
        return other.secret && std::find(choice.second.begin(), choice.second.end(), other.name) != choice.second.end();
      });
    });
  }

  /// Whether what is not required is asked for all the same: secrets, and what the scheme of the source's place wants.
  bool AsksFor(const OptionSpec& spec, const OptionValues& values) const {
    const std::vector<OptionSpec>& options = x_spec->options;
    const auto place = std::find_if(options.begin(), options.end(), [](const OptionSpec& o) { return o.type == OptionType::kPlace; });
    if (place == options.end()) return spec.secret;
    const auto value = values.find(place->name);
    const std::string scheme = value == values.end() ? "" : value->second.substr(0, value->second.find("://"));
    return std::find(spec.ask_at.begin(), spec.ask_at.end(), scheme) != spec.ask_at.end();
  }

  /// Asks for what is required, and for secrets.
  Status AskOptions(const std::vector<OptionSpec>& specs, const std::string& prefix, OptionValues& values) {
    std::vector<std::string> needed;
    for (const OptionSpec& spec : specs) {
      const std::string path = prefix + spec.name;
      if (spec.type == OptionType::kObject) {
        TRY(AskOptions(spec.members, path + ".", values));
        continue;
      }
      const bool need = spec.required || std::find(needed.begin(), needed.end(), spec.name) != needed.end();
      const bool ask = need || BringsSecret(spec, specs) || (prefix.empty() && AsksFor(spec, values));
      if (values.contains(path) || !ask) {
        Needs(spec, values, path, needed);
        continue;
      }
      TRY(AskOption(spec, path, need, values));
      Needs(spec, values, path, needed);
    }
    return {};
  }

  static void Needs(const OptionSpec& spec, const OptionValues& values, const std::string& path, std::vector<std::string>& needed) {
    const auto value = values.find(path);
    const auto needs = value == values.end() ? spec.needs.end() : spec.needs.find(value->second);
    if (needs != spec.needs.end()) needed.insert(needed.end(), needs->second.begin(), needs->second.end());
  }

  Status AskOption(const OptionSpec& spec, const std::string& path, bool need, OptionValues& values) {
    std::string text = path + ": " + spec.description;
    if (spec.secret) text += ", as ${NAME} of the environment or of .caudal/secrets.env";
    TRY_ASSIGN(const std::string answer, x_questions.Ask({text, "--" + path + " VALUE", need ? "" : spec.default_value, need, spec.choices}));
    if (answer.empty() || (!need && answer == spec.default_value)) return {};
    // Not repeated: it may be the secret itself.
    if (spec.secret && answer.rfind("${", 0) != 0) {
      return Wrong("'" + path + "' is a secret and must not stand in the project", "write ${NAME}, and set NAME in the environment or in .caudal/secrets.env");
    }
    if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), answer) == spec.choices.end()) {
      return Wrong("'" + path + "' cannot be '" + answer + "'", DidYouMean(answer, spec.choices));
    }
    values[path] = answer;
    return {};
  }

  /// The draft as the project would read it.
  Result<SourceConfig> Parsed() const {
    const YamlOutcome yaml = ReadYaml(YamlOf(x_draft, *x_spec));
    CHECK(yaml.problems.empty(), "what is written can be read");
    ProblemList problems;
    bool streams_known = false;
    const SourceFileRequest request{x_draft.name, &x_workspace.connectors, &x_workspace.project};
    SourceConfig source = ParseSourceFile(yaml.root, request, FileContext{File(), &problems}, streams_known);
    if (!problems.HasErrors()) return source;
    for (Problem& problem : problems.Take()) {
      if (!problem.warning) return Wrong(std::move(problem.message), std::move(problem.next));
    }
    return source;
  }

  /// What the source refuses ends it, unless --force.
  Status Tried(Status status) {
    if (status || status.error().kind == ErrorKind::kCancelled) return status;
    if (x_given.force) {
      if (!x_refused) x_refused = std::move(status).error();
      return {};
    }
    Error error = std::move(status).error();
    error.where = "";  // in a file that is not there
    error.next += (error.next.empty() ? "" : "; ") + std::string("nothing was written: --force writes the file all the same");
    return error;
  }

  Status Connect() {
    TRY_ASSIGN(const SourceConfig source, Parsed());
    TRY(Tried(CheckSource(x_workspace, source, &x_cancel)));
    if (!x_refused && x_questions.can_ask()) x_console.Line("The source answers.");
    if (x_refused || !x_spec->discovers) return {};
    auto offers = OfferedStreams(x_workspace, source, &x_cancel);
    if (!offers) return Tried(std::move(offers).error());
    x_offers = *std::move(offers);
    return {};
  }

  std::vector<std::string> OfferedNames() const {
    std::vector<std::string> names;
    for (const StreamOffer& offer : x_offers) names.push_back(offer.name);
    return names;
  }

  Status ChooseStreams() {
    const auto required = std::find_if(x_spec->stream_options.begin(), x_spec->stream_options.end(), [](const OptionSpec& o) { return o.required; });
    if (required != x_spec->stream_options.end()) {
      TRY(OneStream(*required));
    } else {
      TRY(SomeStreams());
    }
    for (StreamDraft& stream : x_draft.streams) {
      if (const std::string why = WhyNoTableName(stream.name); !why.empty()) return Wrong("the stream '" + stream.name + "' " + why, "name it with --stream");
      TRY(ChooseKey(stream));
    }
    return {};
  }

  /// Of a connector whose streams are called as the user likes, and say by one option what they read, such as a glob.
  Status OneStream(const OptionSpec& option) {
    if (x_given.streams.size() > 1) return Wrong("one stream at a time, for a source of type " + x_spec->name, "add the others to the file");
    StreamDraft stream;
    stream.options = x_stream_options;
    std::string& what = stream.options[option.name];
    if (what.empty()) {
      const std::vector<std::string> offered = OfferedNames();
      const bool choose = x_questions.can_ask() || offered.size() == 1;
      TRY_ASSIGN(what, x_questions.Ask({option.name + ": " + option.description, "--" + option.name + " VALUE", choose && !offered.empty() ? offered[0] : "", true, offered}));
    }
    stream.name = x_given.streams.empty() ? "" : x_given.streams[0];
    if (stream.name.empty()) {
      const std::string near = StreamNameFrom(what);
      TRY_ASSIGN(stream.name, x_questions.Ask({"Name of the stream: its table is " + x_draft.name + ".NAME", "--stream NAME", near.empty() ? "rows" : near, true, {}}));
    }
    x_draft.streams.push_back(std::move(stream));
    return {};
  }

  /// Of a connector whose streams are what the source has: tables, mostly.
  Status SomeStreams() {
    std::vector<std::string> chosen = x_given.streams;
    const std::vector<std::string> offered = OfferedNames();
    if (chosen.empty() && offered.size() == 1) chosen = offered;
    if (chosen.empty()) {
      const std::string text = x_spec->discovers ? "Streams to load, with commas between them" : "Name of the stream: its table is " + x_draft.name + ".NAME";
      TRY_ASSIGN(const std::string answer, x_questions.Ask({text, "--stream NAME", "", true, offered}));
      chosen = WordsOf(answer);
    }
    for (const std::string& name : chosen) {
      if (!offered.empty() && std::find(offered.begin(), offered.end(), name) == offered.end()) {
        return Error{ErrorKind::kNotFound, "the source offers no '" + name + "'", DidYouMean(name, offered), ""};
      }
      StreamDraft stream;
      stream.name = StreamNameFrom(name);
      stream.options = x_stream_options;
      const std::string what = WhatIsRead();
      if (stream.name != name && !what.empty() && !stream.options.contains(what)) stream.options[what] = name;
      if (stream.name.empty()) stream.name = name;
      TRY(AskOptions(x_spec->stream_options, "", stream.options));
      x_draft.streams.push_back(std::move(stream));
    }
    return {};
  }

  /// The option that says what a stream reads where its name does not: "table", "endpoint.path"; "" = there is none.
  std::string WhatIsRead() const {
    for (const OptionPath& option : OptionPathsOf(x_spec->stream_options)) {
      if (option.path == "table" || option.path == "endpoint.path") return option.path;
    }
    return "";
  }

  const StreamOffer* OfferOf(const StreamDraft& stream) const {
    const auto table = stream.options.find("table");
    const std::string& name = table == stream.options.end() ? stream.name : table->second;
    const auto offer = std::find_if(x_offers.begin(), x_offers.end(), [&](const StreamOffer& o) { return o.name == name; });
    return offer == x_offers.end() ? nullptr : &*offer;
  }

  /// With a key rows are merged by it; without one, a source that may give rows twice is replaced.
  Status ChooseKey(StreamDraft& stream) {
    const StreamOffer* offer = OfferOf(stream);
    stream.key = x_given.primary_key;
    if (stream.key.empty() && offer != nullptr) stream.key = offer->key;
    if (stream.key.empty() && x_spec->may_repeat) {
      TRY_ASSIGN(const std::string answer,
                 x_questions.Ask({"Columns of " + stream.name + " that tell its rows apart; none: each load replaces the table", "--primary-key COLUMN,...", "", false, {}}));
      stream.key = WordsOf(answer);
    }
    stream.write_disposition = x_given.write_disposition;
    if (stream.write_disposition.empty()) stream.write_disposition = !stream.key.empty() ? "merge" : x_spec->may_repeat ? "replace" : "append";
    stream.cursor = x_given.cursor;
    if (!stream.cursor.empty() || !x_spec->incremental || stream.write_disposition == "replace") return {};
    const std::vector<std::string> columns = offer == nullptr ? std::vector<std::string>() : offer->cursor_candidates;
    TRY_ASSIGN(stream.cursor, x_questions.Ask({"Column of " + stream.name + " that grows, to read only what is new; none: all of it each time", "--cursor COLUMN", "", false, columns}));
    return {};
  }

  Status Look(const SourceConfig& source) {
    for (const StreamConfig& stream : source.streams) {
      Shown& shown = x_shown.emplace_back(Shown{stream.name, std::nullopt});
      if (x_refused) continue;
      auto preview = PreviewStream(x_workspace, source, stream, kRows, &x_cancel);
      if (preview) shown.preview = *std::move(preview);
      if (!preview) TRY(Tried(std::move(preview).error()));
    }
    return {};
  }

  const Workspace& x_workspace;
  const InitSourceOptions& x_given;
  const Questions& x_questions;
  const Console& x_console;
  const CancelFlag& x_cancel;
  const ConnectorSpec* x_spec = nullptr;
  SourceDraft x_draft;
  OptionValues x_stream_options;
  std::vector<StreamOffer> x_offers;
  std::vector<Shown> x_shown;
  std::optional<Error> x_refused;  // with --force
};

Json DocumentOf(const SourceMaker& maker) {
  Json document{{"source", maker.draft().name}, {"type", maker.draft().type}, {"file", maker.File()}, {"streams", Json::array()}};
  document["connection"] = Json{{"ok", !maker.refused()}};
  if (maker.refused()) document["connection"]["error"] = ErrorDocument(*maker.refused())["error"];
  for (const Shown& shown : maker.shown()) {
    Json stream{{"stream", shown.stream}, {"table", maker.draft().name + "." + shown.stream}};
    if (shown.preview) {
      stream["columns"] = ColumnsDocument(shown.preview->rows.schema);
      stream["rows"] = RowsDocument(shown.preview->rows);
      stream["rejected"] = shown.preview->rejected;
    }
    document["streams"].push_back(std::move(stream));
  }
  return document;
}

void Print(const Console& console, const SourceMaker& maker) {
  for (const Shown& shown : maker.shown()) {
    if (!shown.preview) continue;
    console.Line("");
    console.Line(maker.draft().name + "." + shown.stream + ":");
    const Preview& preview = *shown.preview;
    if (preview.rows.rows.empty()) console.Line("  no row yet");
    if (!preview.rows.rows.empty()) {
      console.Write(FormatTable(TextTableOf(preview.rows), TextLayout{"  ", 40, static_cast<std::size_t>(console.width())}));
    }
    if (preview.rejected > 0) console.Line(fmt::format("  {} of those looked at would be rejected", Counted(preview.rejected, "row")));
    for (const std::string& note : preview.notes) console.Line("  " + note);
  }
  console.Line("");
  console.Line("Wrote " + maker.File() + ":");
  std::istringstream text(maker.Text());
  for (std::string line; std::getline(text, line);) console.Line("  " + line);
  if (maker.refused()) {
    console.Line("");
    console.Line(console.Paint(Color::kYellow, "The source did not answer: ") + maker.refused()->message);
    if (!maker.refused()->next.empty()) console.Line("  next: " + maker.refused()->next);
  }
  console.Line("");
  console.Line("Type next:");
  console.Line("  caudal run -s source:" + maker.draft().name);
}

}  // namespace

Result<int> InitSourceVerb(const Command& command, const InitSourceOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  const Questions questions(command.console, cancel);
  SourceMaker maker(*workspace, options, questions, command.console, cancel);
  TRY(maker.Make());
  if (command.console.json()) {
    command.console.Document(DocumentOf(maker));
  } else {
    Print(command.console, maker);
  }
  return kExitOk;
}

}  // namespace caudal
