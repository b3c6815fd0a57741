/* SPDX-License-Identifier: Apache-2.0 */
/*
 * res2net in C++17: a thin wrapper, header only. Objects close themselves, failures are exceptions
 * of type `res2net::error`, everything else is the C interface's (res2net.h), whose structs,
 * options and rules hold here too.
 *
 *     res2net::model model = res2net::model::load("net.pdparams");
 *     res2net::session session(model);          // one a thread; keeps the model alive
 *     for (const res2net_score &s : session.classify(bytes, size, "cat.jpg", 5))
 *         std::cout << model.label(s.class_id) << ' ' << s.score << '\n';
 *
 * `get()` gives the C object for the calls that have no wrapper here.
 */
#ifndef RES2NET_RES2NET_HPP
#define RES2NET_RES2NET_HPP

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "res2net/res2net.h"

namespace res2net
{

/* A problem of a report, as a value. */
struct problem {
    res2net_status status;
    std::string file, text;
    int64_t offset, line, column; /* -1 where there is none */
};

/* what() is the first problem with its file; problems() are all of them. */
class error : public std::runtime_error
{
  public:
    error(res2net_status status, std::vector<problem> problems)
        : std::runtime_error(describe(status, problems)), status_(status),
          problems_(std::move(problems))
    {
    }
    res2net_status status() const noexcept
    {
        return status_;
    }
    const std::vector<problem> &problems() const noexcept
    {
        return problems_;
    }

  private:
    static std::string describe(res2net_status status, const std::vector<problem> &problems)
    {
        if (problems.empty())
            return res2net_status_text(status);
        const problem &first = problems.front();
        return first.file.empty() ? first.text : first.file + ": " + first.text;
    }
    res2net_status status_;
    std::vector<problem> problems_;
};

/* Collects what went wrong in one call. */
class report
{
  public:
    report() : report_(res2net_report_create(), res2net_report_destroy) {}
    res2net_report *get() const noexcept
    {
        return report_.get();
    }
    std::vector<problem> problems() const
    {
        std::vector<problem> all;
        for (size_t i = 0; i < res2net_report_count(get()); i++) {
            const res2net_problem *p = res2net_report_problem(get(), i);
            all.push_back({p->status, p->file, p->text, p->offset, p->line, p->column});
        }
        return all;
    }
    /* Throws unless `status` is RES2NET_OK. */
    void check(res2net_status status) const
    {
        if (status == RES2NET_OUT_OF_MEMORY)
            throw std::bad_alloc();
        if (status != RES2NET_OK)
            throw error(status, problems());
    }

  private:
    std::unique_ptr<res2net_report, void (*)(res2net_report *)> report_;
};

/* A picture tensor [batch][channels][height][width]; moves, does not copy. */
class tensor
{
  public:
    tensor() noexcept : tensor_() {}
    tensor(tensor &&other) noexcept : tensor_(std::exchange(other.tensor_, res2net_tensor())) {}
    tensor &operator=(tensor &&other) noexcept
    {
        std::swap(tensor_, other.tensor_);
        return *this;
    }
    tensor(const tensor &) = delete;
    tensor &operator=(const tensor &) = delete;
    ~tensor()
    {
        res2net_tensor_free(&tensor_);
    }
    const res2net_tensor &get() const noexcept
    {
        return tensor_;
    }
    res2net_tensor *out() noexcept /* for calls that fill it */
    {
        res2net_tensor_free(&tensor_);
        tensor_ = res2net_tensor();
        return &tensor_;
    }

  private:
    res2net_tensor tensor_;
};

/* Shared: copies are the same model. Any number of threads may use it. */
class model
{
  public:
    static model load(const std::string &path, const res2net_load_options &options = {})
    {
        return make([&](res2net_model **out, res2net_report *report) {
            return res2net_model_load(path.c_str(), &options, out, report);
        });
    }
    /* `data` must stay as it is while the model lives. */
    static model load_memory(const void *data, size_t size, const std::string &name,
                             const res2net_load_options &options = {})
    {
        return make([&](res2net_model **out, res2net_report *report) {
            return res2net_model_load_memory(data, size, name.c_str(), &options, out, report);
        });
    }
    static model load_default(const res2net_load_options &options = {})
    {
        return make([&](res2net_model **out, res2net_report *report) {
            return res2net_model_load_default(&options, out, report);
        });
    }
    void save(const std::string &path, const res2net_save_options &options = {}) const
    {
        const report collected;
        collected.check(res2net_model_save(get(), path.c_str(), &options, collected.get()));
    }
    /* Its strings live as long as the model. */
    res2net_model_info info() const
    {
        res2net_model_info info;
        res2net_model_describe(get(), &info);
        return info;
    }
    std::string label(int32_t class_id) const /* "" where there is none */
    {
        const char *text = res2net_model_label(get(), class_id);
        return text == nullptr ? std::string() : std::string(text);
    }
    const res2net_model *get() const noexcept
    {
        return model_.get();
    }

  private:
    friend class session;
    explicit model(res2net_model *made) : model_(made, res2net_model_destroy) {}
    template <typename Call> static model make(Call call)
    {
        const report collected;
        res2net_model *made = nullptr;
        collected.check(call(&made, collected.get()));
        return model(made);
    }
    std::shared_ptr<res2net_model> model_;
};

/* Belongs to one thread at a time; moves, does not copy. */
class session
{
  public:
    explicit session(const model &of, const res2net_session_options &options = {})
        : model_(of.model_), session_(nullptr, res2net_session_destroy)
    {
        const report collected;
        res2net_session *made = nullptr;
        collected.check(res2net_session_create(of.get(), &options, &made, collected.get()));
        session_.reset(made);
    }
    /* The whole way for one encoded picture; `name` is for messages. */
    std::vector<res2net_score> classify(const void *bytes, size_t size, const std::string &name,
                                        int32_t k)
    {
        const report collected;
        std::vector<res2net_score> scores(k > 0 ? static_cast<size_t>(k) : 0);
        int32_t count = 0;
        collected.check(res2net_session_classify(get(), bytes, size, name.c_str(), k, scores.data(),
                                                 &count, collected.get()));
        scores.resize(static_cast<size_t>(count));
        return scores;
    }
    tensor prepare(const void *bytes, size_t size, const std::string &name) const
    {
        const report collected;
        tensor picture;
        collected.check(res2net_session_prepare(get(), bytes, size, name.c_str(), picture.out(),
                                                collected.get()));
        return picture;
    }
    tensor prepare_file(const std::string &path) const
    {
        const report collected;
        tensor picture;
        collected.check(
            res2net_session_prepare_file(get(), path.c_str(), picture.out(), collected.get()));
        return picture;
    }
    /* Logits [batch][classes] of `batch` ready pictures [batch][3][height][width]. */
    std::vector<float> run(const float *input, int32_t batch, int32_t height, int32_t width)
    {
        const report collected;
        res2net_model_info info;
        res2net_model_describe(model_.get(), &info);
        std::vector<float> logits(static_cast<size_t>(batch > 0 ? batch : 0) *
                                  static_cast<size_t>(info.classes));
        collected.check(res2net_session_run(get(), input, batch, height, width, logits.data(),
                                            collected.get()));
        return logits;
    }
    std::vector<float> run(const tensor &pictures)
    {
        const res2net_tensor &t = pictures.get();
        return run(t.data, t.batch, t.height, t.width);
    }
    int64_t memory_bytes() const noexcept
    {
        return res2net_session_memory_bytes(get());
    }
    void trim() noexcept
    {
        res2net_session_trim(get());
    }
    res2net_session *get() const noexcept
    {
        return session_.get();
    }

  private:
    std::shared_ptr<res2net_model> model_; /* outlives session_: members go in reverse order */
    std::unique_ptr<res2net_session, void (*)(res2net_session *)> session_;
};

} // namespace res2net

#endif
