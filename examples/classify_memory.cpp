/* SPDX-License-Identifier: Apache-2.0 */
// classify_memory.c in C++17: objects close themselves, failures are exceptions.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <res2net/res2net.hpp>
#include <vector>

int main()
{
    try {
        const std::vector<char> bytes{std::istreambuf_iterator<char>(std::cin), {}};
        const res2net::model model = res2net::model::load_default();
        res2net::session session(model);
        for (const res2net_score &best : session.classify(bytes.data(), bytes.size(), "stdin", 1))
            std::printf("%d %s %.9g\n", best.class_id, model.label(best.class_id).c_str(),
                        static_cast<double>(best.score));
    } catch (const res2net::error &error) {
        std::cerr << error.what() << '\n';
        return 3;
    }
}
