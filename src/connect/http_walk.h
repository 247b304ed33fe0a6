// From the first page of a stream to its last: one at a time for the reader, several on the wire where the paginator knows
// what will come. Ends where the server would go on for ever. Used by one thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "connect/http_client.h"
#include "connect/paginator.h"

namespace caudal {

struct HttpWalkRules {
  std::string base_url;  // no page is elsewhere
  std::int64_t max_pages = 100'000;
  std::size_t lanes = 1;
};

class HttpWalk {
 public:
  HttpWalk(HttpClient& client, std::unique_ptr<Paginator> pages, const HttpRequest& request, HttpWalkRules rules);
  ~HttpWalk();
  HttpWalk(const HttpWalk&) = delete;
  HttpWalk& operator=(const HttpWalk&) = delete;

  /// Asks for the first page; `condition`: headers for it alone. Does not wait.
  void Start(const std::map<std::string, std::string>& condition);
  /// Waits for the current page; once a page.
  Result<HttpAnswer> Answer();
  /// Asks for the current page once more.
  Result<HttpAnswer> Again();
  /// Goes on to the next page and asks for it; false after the last. Errors: the paginator's; kInvalidArgument for a page
  /// that came before, or one too many; kPermission for one on another host.
  Result<bool> Next(const PageSeen& page);

  const HttpRequest& current() const { return x_current; }
  std::vector<std::string> notes() const { return x_pages->notes(); }

 private:
  struct Asked {
    HttpRequest request;
    HttpClient::Ticket ticket = 0;
  };
  Status Check(const HttpRequest& next);
  void Prefetch();
  void DropAhead();

  HttpClient& x_client;
  std::unique_ptr<Paginator> x_pages;
  HttpWalkRules x_rules;
  HttpRequest x_current;
  HttpClient::Ticket x_ticket = 0;  // 0 = not asked, or answered
  std::deque<Asked> x_ahead;
  std::int64_t x_page = 1;
  std::unordered_set<std::size_t> x_requests;  // hashes
  std::unordered_set<std::size_t> x_bodies;
  int x_repeated = 0;  // pages in a row that came before
};

}  // namespace caudal
