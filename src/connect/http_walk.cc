#include "connect/http_walk.h"

#include <fmt/format.h>

#include <functional>

namespace caudal {
namespace {

std::size_t HashOf(const HttpRequest& request) { return std::hash<std::string>{}(request.url + "\n" + request.body); }

}  // namespace

HttpWalk::HttpWalk(HttpClient& client, std::unique_ptr<Paginator> pages, const HttpRequest& request, HttpWalkRules rules)
    : x_client(client), x_pages(std::move(pages)), x_rules(std::move(rules)), x_current(x_pages->First(request)) {
  x_requests.insert(HashOf(x_current));
}

HttpWalk::~HttpWalk() {
  if (x_ticket != 0) x_client.Drop(x_ticket);
  DropAhead();
}

void HttpWalk::DropAhead() {
  for (const Asked& asked : x_ahead) x_client.Drop(asked.ticket);
  x_ahead.clear();
}

void HttpWalk::Start(const std::map<std::string, std::string>& condition) {
  HttpRequest request = x_current;
  request.headers = condition;
  x_ticket = x_client.Start(std::move(request));
}

Result<HttpAnswer> HttpWalk::Answer() {
  const HttpClient::Ticket ticket = x_ticket;
  x_ticket = 0;
  return x_client.Finish(ticket);
}

Result<HttpAnswer> HttpWalk::Again() { return x_client.Ask(x_current); }

Status HttpWalk::Check(const HttpRequest& next) {
  if (next == x_current) {
    return Error{ErrorKind::kInvalidArgument, "the next page is the same page: " + PublicUrl(next.url), "correct `paginator:`", ""};
  }
  if (!SameOrigin(next.url, x_rules.base_url)) {
    return Error{ErrorKind::kPermission, "the next page is on another host: " + PublicUrl(next.url),
                 "write that host as base_url, if it is right", ""};
  }
  if (!x_requests.insert(HashOf(next)).second) {
    return Error{ErrorKind::kInvalidArgument, "the next page is one that came before: " + PublicUrl(next.url), "correct `paginator:`", ""};
  }
  if (x_repeated >= 2) {
    return Error{ErrorKind::kInvalidArgument, "the server gives the same pages again and again: " + PublicUrl(x_current.url),
                 "correct `paginator:`: the server may not know its parameter", ""};
  }
  if (x_page < x_rules.max_pages) return {};
  return Error{ErrorKind::kInvalidArgument, fmt::format("there are more than {} pages: {}", x_page, PublicUrl(next.url)),
               "raise `max_pages`, or correct `paginator:`", ""};
}

Result<bool> HttpWalk::Next(const PageSeen& page) {
  const bool came = page.records > 0 && !x_bodies.insert(std::hash<std::string>{}(page.answer->body)).second;
  x_repeated = came ? x_repeated + 1 : 0;
  TRY_ASSIGN(std::optional<HttpRequest> next, x_pages->Next(x_current, page));
  if (!next) {
    DropAhead();
    return false;
  }
  TRY(Check(*next));
  ++x_page;
  x_current = *std::move(next);
  if (!x_ahead.empty() && x_ahead.front().request == x_current) {
    x_ticket = x_ahead.front().ticket;
    x_ahead.pop_front();
  } else {
    DropAhead();
    x_ticket = x_client.Start(x_current);
  }
  Prefetch();
  return true;
}

void HttpWalk::Prefetch() {
  if (x_rules.lanes < 2) return;
  std::vector<HttpRequest> ahead = x_pages->Ahead(x_rules.lanes - 1);
  std::size_t same = 0;
  while (same < ahead.size() && same < x_ahead.size() && x_ahead[same].request == ahead[same]) ++same;
  for (; x_ahead.size() > same; x_ahead.pop_back()) x_client.Drop(x_ahead.back().ticket);
  for (std::size_t i = same; i < ahead.size(); ++i) {
    const HttpClient::Ticket ticket = x_client.Start(ahead[i]);
    x_ahead.push_back(Asked{std::move(ahead[i]), ticket});
  }
}

}  // namespace caudal
