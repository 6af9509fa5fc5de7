/* Charts from the page's own figures, and the filter of the orders. ES5, for older browsers. */
(function () {
  "use strict";
  var INK = "#1c2330", SOFT = "#5b6472", LINE = "#e1e6ed";
  var COLOURS = ["#1f5fbf", "#e08a00", "#2c9a4b", "#8a5cd1"];
  var FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif';

  function base() {
    return {
      color: COLOURS,
      animation: false,
      textStyle: { fontFamily: FONT, color: INK },
      legend: { bottom: 0, left: "center", itemWidth: 16, textStyle: { color: SOFT } },
      aria: { enabled: false }
    };
  }

  function tooltip(trigger) {
    /* As drawn text: a tooltip made of HTML would need inline styles, which the policy forbids. */
    return { trigger: trigger, renderMode: "richText", confine: true };
  }

  function scale(low) {
    /* A scale that does not begin at 0 says so. */
    return {
      text: "刻度 " + low + "–100 分", right: 0, top: 0,
      textStyle: { color: SOFT, fontSize: 12, fontWeight: "normal" }
    };
  }

  function step(most) {
    /* Of four steps of 1, 2 or 5 times a power of ten; bars stay below the lines. */
    var rough = Math.max(1, most * 2.5 / 4);
    var power = Math.pow(10, Math.floor(Math.log(rough) / Math.LN10));
    return [1, 2, 5, 10].map(function (times) { return times * power; })
      .filter(function (size) { return size >= rough; })[0];
  }

  var build = {
    radar: function (data, width) {
      var option = base();
      option.tooltip = tooltip("item");
      option.title = scale(data.low);
      option.radar = {
        center: ["50%", "46%"],
        radius: width < 420 ? "56%" : "64%",
        axisName: { color: INK, fontSize: 13 },
        splitNumber: 4,
        splitArea: { areaStyle: { color: ["#fff", "#f6f8fb"] } },
        splitLine: { lineStyle: { color: LINE } },
        axisLine: { lineStyle: { color: LINE } },
        indicator: data.axes.map(function (name) { return { name: name, min: data.low, max: 100 }; })
      };
      option.series = [{
        type: "radar",
        symbolSize: 5,
        data: data.series.map(function (one, place) {
          return {
            name: one.name,
            value: one.values.map(function (value) { return value === null ? "-" : value; }),
            areaStyle: { opacity: place === 0 ? 0.18 : 0 },
            lineStyle: { width: 2, type: place === 0 ? "solid" : "dashed" }
          };
        })
      }];
      return option;
    },
    trend: function (data, width) {
      var option = base();
      var size = step(Math.max.apply(null, data.opened.concat(data.closed, 0)));
      option.tooltip = tooltip("axis");
      option.grid = { left: 8, right: 8, top: 32, bottom: width < 420 ? 60 : 38, containLabel: true };
      option.xAxis = {
        type: "category", data: data.nights, axisLine: { lineStyle: { color: LINE } },
        axisTick: { show: false },
        axisLabel: {
          color: SOFT, hideOverlap: true,
          formatter: function (night) { return night.slice(5).replace("-", "/"); }
        }
      };
      option.yAxis = [
        {
          type: "value", name: "得分", min: data.low, max: 100, nameTextStyle: { color: SOFT },
          axisLabel: { color: SOFT }, splitLine: { lineStyle: { color: LINE } }
        },
        {
          type: "value", name: "工单", min: 0, max: 4 * size, interval: size,
          nameTextStyle: { color: SOFT }, axisLabel: { color: SOFT }, splitLine: { show: false }
        }
      ];
      option.series = data.lines.map(function (line, place) {
        return {
          name: line.name, type: "line", data: line.values, z: 3,
          showSymbol: data.nights.length < 8, symbolSize: 6, connectNulls: false,
          lineStyle: { width: place === 0 ? 3 : 2, type: place === 0 ? "solid" : "dashed" }
        };
      });
      option.series.push({
        name: "新开工单", type: "bar", yAxisIndex: 1, data: data.opened, barMaxWidth: 10,
        itemStyle: { color: "#f0b8ba" }
      }, {
        name: "关闭工单", type: "bar", yAxisIndex: 1, data: data.closed, barMaxWidth: 10,
        itemStyle: { color: "#a9dcb5" }
      });
      if (width < 420) { option.legend.itemGap = 8; option.legend.textStyle.fontSize = 11; }
      return option;
    },
    ranks: function (data, width) {
      var option = base();
      var found = data.scores.filter(function (score) { return score !== null; });
      var lowest = found.length ? Math.min.apply(null, found) : 0;
      var from = Math.max(0, Math.floor(lowest - (100 - lowest) * 0.3));
      option.legend = { show: false };
      option.title = scale(from);
      option.tooltip = tooltip("item");
      option.grid = { left: 8, right: 56, top: 28, bottom: 8, containLabel: true };
      option.xAxis = {
        type: "value", min: from, max: 100, axisLabel: { color: SOFT },
        splitLine: { lineStyle: { color: LINE } }
      };
      option.yAxis = {
        type: "category", inverse: true, data: data.names, axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: { color: INK, width: width < 420 ? 120 : 260, overflow: "truncate" }
      };
      option.series = [{
        type: "bar", barMaxWidth: 20, data: data.scores,
        itemStyle: { borderRadius: [0, 4, 4, 0] },
        label: {
          show: true, position: "right", color: INK,
          formatter: function (item) { return item.value === null ? "" : item.value.toFixed(2); }
        }
      }];
      return option;
    }
  };

  function each(list, act) { Array.prototype.forEach.call(list, act); }

  function draw() {
    if (!window.echarts) { return; }
    each(document.querySelectorAll("[data-chart]"), function (box) {
      var name = box.getAttribute("data-chart");
      var data = JSON.parse(document.getElementById("data-" + name).textContent);
      box.textContent = "";
      var chart = window.echarts.init(box, null, { renderer: "svg" });
      function fit() {
        chart.resize();
        chart.setOption(build[name](data, box.clientWidth));
        /* So that paper, whose width no event tells, can scale what was drawn for the screen. */
        box.querySelector("svg").setAttribute(
          "viewBox", "0 0 " + chart.getWidth() + " " + chart.getHeight()
        );
      }
      fit();
      box.setAttribute("data-drawn", "");
      window.addEventListener("resize", fit);
    });
  }

  function filter() {
    var buttons = document.querySelectorAll("[data-filter]");
    each(buttons, function (button) {
      button.addEventListener("click", function () {
        var tag = button.getAttribute("data-filter");
        each(buttons, function (other) {
          other.setAttribute("aria-pressed", other === button ? "true" : "false");
        });
        each(document.querySelectorAll("[data-tags]"), function (order) {
          var tags = order.getAttribute("data-tags").split(" ");
          order.hidden = tag !== "" && tags.indexOf(tag) < 0;
        });
      });
    });
  }

  draw();
  filter();
})();
