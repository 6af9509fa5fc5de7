"""What goes home to a department: one workbook a night."""
